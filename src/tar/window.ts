import type { ByteReader } from "../storage/byte-reader.ts";

/** Size of a tar block: headers are one, data is padded to whole ones. */
export const BLOCK = 512;

/** Data of one sample that the offsets of a window (32-bit, signed) can still name. */
export const MAX_SAMPLE_BYTES: number = 2 ** 31 - 2 ** 20;

const MAX_WINDOW_BYTES = 2 ** 31 - BLOCK;

/**
 * The stretch of a shard that lies in memory. One buffer serves a whole shard: what is unfinished moves to its front, the
 * next bytes follow, and it doubles only when one unfinished sample fills it, so that memory follows the bytes that
 * really came and never a size that a header claims.
 */
export class Window {
  bytes: Uint8Array;
  /** The same memory in 32-bit lanes. Blocks stay aligned in it, because only whole blocks are moved away. */
  words: Int32Array;
  view: DataView;
  /** Where reading goes on: the next header. */
  at = 0;
  /** End of the bytes that are here. */
  have = 0;
  /** Bytes to come that nobody wants. */
  passing = 0;
  /** The shard has no more bytes. */
  ended = false;
  #base: number;
  readonly #source: ByteReader;

  /** `start` is the place in the shard of the first byte that the source gives. */
  constructor(source: ByteReader, size: number, start = 0) {
    const blocks = Math.max(2, Math.ceil(size / BLOCK));
    this.#source = source;
    this.#base = start;
    this.bytes = new Uint8Array(blocks * BLOCK);
    this.words = new Int32Array(this.bytes.buffer);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Looks at bytes `from` to `to` of other memory instead, whose length is whole blocks; reading never goes on behind them. */
  lookAt({ bytes, words, view }: Pick<Window, "bytes" | "words" | "view">, from: number, to: number): void {
    [this.bytes, this.words, this.view, this.at, this.have, this.passing] = [bytes, words, view, from, to, 0];
    this.ended = true;
  }

  /** Position of {@link at} in the shard. */
  get offset(): number {
    return this.#base + this.at;
  }

  /** Goes `count` bytes on. What has not come yet will not be kept. */
  pass(count: number): void {
    const end = this.at + count;
    if (end <= this.have) {
      this.at = end;
    } else {
      this.passing = end - this.have;
      this.#base += this.have - this.at;
      this.have = this.at;
    }
  }

  /** Reads until `need` bytes lie behind {@link at}, the window is full, or the shard ends. Bytes from `keep` on stay. */
  async more(keep: number, need: number): Promise<void> {
    if (keep > 0) this.#moveToFront(keep);
    if (this.passing > 0 && this.#source.skip !== undefined) {
      const skipped = await this.#source.skip(this.passing);
      this.passing -= skipped;
      this.#base += skipped;
    }
    if (this.have === this.bytes.length) this.#grow();
    do {
      const count = await this.#source.read(this.bytes.subarray(this.have));
      if (count === 0) this.ended = true;
      else this.#take(count);
    } while (!this.ended && this.have < this.bytes.length && (this.passing > 0 || this.have - this.at < need));
  }

  #take(count: number): void {
    const passed = Math.min(count, this.passing);
    if (passed > 0) this.bytes.copyWithin(this.have, this.have + passed, this.have + count);
    this.passing -= passed;
    this.#base += passed;
    this.have += count - passed;
  }

  #moveToFront(keep: number): void {
    this.bytes.copyWithin(0, keep, this.have);
    this.at -= keep;
    this.have -= keep;
    this.#base += keep;
  }

  #grow(): void {
    const bytes = new Uint8Array(Math.min(this.bytes.length * 2, MAX_WINDOW_BYTES));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer);
    this.view = new DataView(bytes.buffer);
  }
}
