import { builtin } from "../../runtime/runtime.ts";
import type { ByteInput } from "./byte-input.ts";

const CHUNK_BYTES = 65536;

/**
 * One deflate stream, decompressed by `node:zlib` as it is pulled. Its raw form is used because it is the same on Node,
 * Deno and Bun: it ends where the data ends, says how many bytes that took, and leaves checks and further members to us.
 */
export class Inflate {
  readonly #input: ByteInput;
  readonly #stream: import("node:zlib").InflateRaw;
  #rest: Uint8Array = new Uint8Array(0); // what of the last chunk has not been handed out
  #isBusy = false; // it works on the bytes fed last
  #error: Error | undefined;
  #fedAt = 0; // where the bytes fed last begin in the input
  #fed = 0; // their number
  #takenBefore = 0; // what the engine had taken before them
  #wake: (() => void) | undefined;

  constructor(input: ByteInput) {
    this.#input = input;
    // One chunk at a time: the stream works on only when the chunk before has been read.
    this.#stream = builtin("zlib").createInflateRaw({ chunkSize: CHUNK_BYTES, readableHighWaterMark: 1 } as object);
    const wake = (): void => this.#wake?.();
    this.#stream.on("readable", wake);
    this.#stream.on("error", (error) => {
      this.#error = error;
      wake();
    });
  }

  /** Fills the start of `into`; 0 at the end of the deflate stream, "cut" where the input ends before it. */
  async read(into: Uint8Array): Promise<number | "cut"> {
    for (;;) {
      if (this.#rest.length > 0) return this.#handOut(into);
      const chunk = this.#stream.read() as Uint8Array | null;
      if (chunk !== null) {
        this.#rest = chunk;
      } else if (this.#error !== undefined) {
        throw this.#error;
      } else if (this.#isBusy) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if (this.#taken < this.#fed) {
        // The engine does not want the rest of what it was fed: that follows the stream.
        this.#input.at = this.#fedAt + this.#taken;
        this.close();
        return 0;
      } else if (await this.#input.ensure(1)) {
        this.#feed();
      } else {
        this.close();
        return "cut";
      }
    }
  }

  close(): void {
    this.#stream.destroy();
  }

  /** How much the engine took of the bytes fed last. */
  get #taken(): number {
    return this.#stream.bytesWritten - this.#takenBefore;
  }

  #handOut(into: Uint8Array): number {
    const count = Math.min(this.#rest.length, into.length);
    into.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  #feed(): void {
    const { buffer, at, end } = this.#input;
    this.#takenBefore = this.#stream.bytesWritten;
    this.#fedAt = at;
    this.#fed = end - at;
    this.#isBusy = true;
    this.#stream.write(buffer.subarray(at, end), () => {
      this.#isBusy = false;
      this.#wake?.();
    });
    this.#input.at = end;
  }
}
