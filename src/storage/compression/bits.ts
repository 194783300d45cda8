import type { ByteInput } from "./byte-input.ts";

/** Bits of an input, the highest of each byte first. It reads what is at hand, and fails where that ends. */
export class Bits {
  readonly #input: ByteInput;
  readonly #cut: () => Error;
  #held = 0; // bits taken from the input and not given yet are its lowest #count
  #count = 0;

  constructor(input: ByteInput, cut: () => Error) {
    this.#input = input;
    this.#cut = cut;
  }

  /** The next bits, at most 24, as a number. */
  read(count: number): number {
    while (this.#count < count) {
      const input = this.#input;
      if (input.at === input.end) throw this.#cut();
      this.#held = (this.#held << 8) | input.buffer[input.at++]!;
      this.#count += 8;
    }
    this.#count -= count;
    return (this.#held >>> this.#count) & ((1 << count) - 1);
  }

  /** The next 32 bits as a signed number. */
  read32(): number {
    return (this.read(16) << 16) | this.read(16);
  }

  /** Goes on to the next whole byte. */
  align(): void {
    this.#count -= this.#count % 8;
  }
}
