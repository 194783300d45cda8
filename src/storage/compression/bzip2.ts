import type { ByteReader } from "../byte-reader.ts";
import { Bits } from "./bits.ts";
import type { ByteInput } from "./byte-input.ts";
import { Bzip2Block } from "./bzip2-block.ts";
import { corrupt, cut } from "./problems.ts";

const BLOCK_MAGIC = [0x314159, 0x265359] as const; // pi
const END_MAGIC = [0x177245, 0x385090] as const; // its root

/** Decompresses all bzip2 streams of a file, block by block, and checks the checksum of each block and stream. */
export function bunzip2(input: ByteInput, source: ByteReader): ByteReader {
  return new Bzip2Reader(input, source);
}

class Bzip2Reader implements ByteReader {
  readonly #input: ByteInput;
  readonly #source: ByteReader;
  readonly #bits: Bits;
  readonly #warnings: string[] = [];
  #block: Bzip2Block | undefined;
  #level = 0; // blocks of the stream hold up to this many 100,000 bytes; 0 outside of a stream
  #crc = 0;
  #streams = 0;
  #isDone = false;

  constructor(input: ByteInput, source: ByteReader) {
    this.#input = input;
    this.#source = source;
    this.#bits = new Bits(input, () => cut("bzip2"));
  }

  get warnings(): readonly string[] {
    return [...this.#warnings, ...(this.#source.warnings ?? [])];
  }

  async read(into: Uint8Array): Promise<number> {
    while (!this.#isDone) {
      if (this.#block !== undefined) {
        const count = this.#block.read(into);
        if (count > 0) return count;
        if (!this.#block.isRight) throw corrupt("bzip2", "a checksum is wrong");
        this.#block = undefined;
      } else if (this.#level === 0) {
        await this.#openStream();
      } else {
        await this.#next();
      }
    }
    return 0;
  }

  async close(): Promise<void> {
    this.#isDone = true;
    await this.#source.close();
  }

  async #openStream(): Promise<void> {
    if (!(await this.#input.ensure(1)) && this.#streams > 0) {
      this.#isDone = true;
      return;
    }
    await this.#input.ensure(4);
    const { buffer, at, end } = this.#input;
    const level = buffer[at + 3]! - 0x30;
    const isBzip2 = [0x42, 0x5a, 0x68].every((byte, i) => at + i >= end || buffer[at + i] === byte);
    if (!isBzip2 || (at + 3 < end && !(level >= 1 && level <= 9))) {
      if (this.#streams === 0) throw corrupt("bzip2", "its header is wrong");
      this.#warnings.push("bytes behind the last bzip2 stream are not read");
      this.#isDone = true;
      return;
    }
    if (end - at < 4) throw cut("bzip2");
    this.#input.at += 4;
    this.#level = level;
    this.#streams++;
    this.#crc = 0;
  }

  /** Decodes the next block, or closes the stream. */
  async #next(): Promise<void> {
    // The longest code has 20 bits, so a block with its tables is shorter than this.
    await this.#input.ensure(this.#level * 250_000 + 32_768);
    const bits = this.#bits;
    const high = bits.read(24);
    const low = bits.read(24);
    const crc = bits.read32();
    if (high === BLOCK_MAGIC[0] && low === BLOCK_MAGIC[1]) {
      const block = Bzip2Block.decode(bits, this.#level * 100_000, crc);
      if (typeof block === "string") throw corrupt("bzip2", block);
      this.#block = block;
      this.#crc = ((this.#crc << 1) | (this.#crc >>> 31)) ^ crc;
    } else if (high === END_MAGIC[0] && low === END_MAGIC[1]) {
      if (crc !== this.#crc) throw corrupt("bzip2", "a checksum is wrong");
      bits.align();
      this.#level = 0;
    } else {
      throw corrupt("bzip2", "a block does not begin where it should");
    }
  }
}
