import type { ByteReader } from "../byte-reader.ts";

/** Bytes of a reader as a decoder wants them: looked at before they are taken. */
export class ByteInput {
  buffer: Uint8Array = new Uint8Array(65536);
  /** The bytes at hand are `buffer[at..end)`. */
  at = 0;
  end = 0;
  readonly #source: ByteReader;

  constructor(source: ByteReader) {
    this.#source = source;
  }

  /** Reads on until `count` bytes are at hand; false if there are not that many. */
  async ensure(count: number): Promise<boolean> {
    if (this.at + count > this.buffer.length) this.#makeRoom(count);
    while (this.end - this.at < count) {
      const got = await this.#source.read(this.buffer.subarray(this.end));
      if (got === 0) return false;
      this.end += got;
    }
    return true;
  }

  #makeRoom(count: number): void {
    const rest = this.buffer.subarray(this.at, this.end);
    if (count > this.buffer.length) this.buffer = new Uint8Array(count * 2);
    this.buffer.set(rest);
    this.at = 0;
    this.end = rest.length;
  }
}
