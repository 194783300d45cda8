import { readText } from "../codec/text.ts";
import type { Records } from "../streams/chunk.ts";
import type { Input, Origin, Restart, Trace } from "../streams/trace.ts";

/** Rows of a frame at most: enough that the cost of a message (30-80 us, the most on Bun and Deno) is small for each. */
export const FRAME_ROWS = 2048;
/** Bytes of a frame that holds no large sample. Bun takes 75 us to hand on 256 KiB, and 300 us for 1 MiB. */
export const FRAME_BYTES: number = 256 << 10;

const WORDS = 7;
/** Behind the columns: keys and samples. */
const DATA_AT = FRAME_ROWS * 4 * WORDS + 8;

/**
 * Memory that crosses between threads, again and again: for each row its place in the order, where it comes from, and where
 * its key and its sample lie. Columns of fixed length first, then the bytes.
 */
export class Frame {
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** Low and high half of the position. */
  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  /** Which output of its input; -1 - it for a row that is there once more. */
  readonly #parts: Int32Array;
  readonly #indexes: Uint32Array;
  readonly #shards: Uint32Array;
  readonly #keyEnds: Int32Array;
  readonly #ends: Int32Array;
  #rows = 0;
  /** Where free memory begins. */
  #at = DATA_AT;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    const column = (nth: number): Uint32Array => new Uint32Array(buffer, nth * 4 * FRAME_ROWS, FRAME_ROWS);
    const signed = (nth: number): Int32Array => new Int32Array(buffer, nth * 4 * FRAME_ROWS, FRAME_ROWS);
    [this.#low, this.#high, this.#indexes, this.#shards] = [column(0), column(1), column(2), column(3)];
    [this.#parts, this.#keyEnds, this.#ends] = [signed(4), signed(5), signed(6)];
  }

  get rows(): number {
    return this.#rows;
  }

  get isFull(): boolean {
    return this.#rows === FRAME_ROWS;
  }

  /** Bytes that a buffer must have for one row of so much. */
  static sizeFor(bytes: number): number {
    return DATA_AT + bytes;
  }

  hasRoom(bytes: number): boolean {
    return this.#at + bytes <= this.bytes.length;
  }

  /** Writes where a row comes from; the sample follows at the offset that it gives, and {@link endRow} ends it. */
  beginRow(position: number, part: number, { index, key, padded }: Origin, shard: number): number {
    const row = this.#rows;
    this.#low[row] = position >>> 0;
    this.#high[row] = Math.floor(position / 2 ** 32);
    this.#parts[row] = padded === true ? -1 - part : part;
    this.#indexes[row] = index;
    this.#shards[row] = shard;
    this.#at = writeKey(this.bytes, this.#at, key);
    this.#keyEnds[row] = this.#at;
    return this.#at;
  }

  endRow(at: number): void {
    this.#ends[this.#rows++] = at;
    this.#at = at;
  }

  /** What was written on the other side. */
  open(
    rows: number,
    shards: readonly string[],
    restartsAgain: boolean,
    inputs: readonly (readonly Input[])[] | undefined,
  ): { readonly records: Records; readonly trace: Trace } {
    const starts = this.#keyEnds.slice(0, rows);
    const ends = this.#ends.slice(0, rows);
    const keyEnds = new Int32Array(rows);
    for (let row = 0, end = 0; row < rows; row++)
      keyEnds[row] = end += starts[row]! - (row === 0 ? DATA_AT : ends[row - 1]!);
    const keys = new Uint8Array(rows === 0 ? 0 : keyEnds[rows - 1]!);
    // Copied and not made to text: few ask for keys. A loop, as they are short.
    for (let row = 0, at = 0; row < rows; row++) {
      for (let from = starts[row]! - keyEnds[row]! + at; from < starts[row]!; from++) keys[at++] = this.bytes[from]!;
    }
    const columns = {
      low: this.#low.slice(0, rows),
      high: this.#high.slice(0, rows),
      parts: this.#parts.slice(0, rows),
      indexes: this.#indexes.slice(0, rows),
      shardOf: this.#shards.slice(0, rows),
      keys,
      keyEnds,
    };
    const trace = new FrameTrace(columns, shards, restartsAgain, inputs);
    return { records: { windows: [this], starts, ends }, trace };
  }
}

/** Most bytes that a key takes. */
export const keyRoom = (key: string): number => 3 * key.length + 1;

const encoder = new TextEncoder();
/** Begins a key that is no Unicode text, as names in a tar may be: its UTF-16 follows. No UTF-8 begins so. */
const UNITS = 0xff;

function writeKey(bytes: Uint8Array, at: number, key: string): number {
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    if (unit >= 0x80) return writeOtherKey(bytes, at, key);
    bytes[at + i] = unit;
  }
  return at + key.length;
}

function writeOtherKey(bytes: Uint8Array, at: number, key: string): number {
  if (key.isWellFormed()) return at + encoder.encodeInto(key, bytes.subarray(at)).written;
  bytes[at++] = UNITS;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    bytes[at++] = unit & 0xff;
    bytes[at++] = unit >>> 8;
  }
  return at;
}

function readKey(bytes: Uint8Array, start: number, end: number): string {
  if (bytes[start] !== UNITS || start === end) return readText(bytes, start, end - start)!;
  let key = "";
  for (let at = start + 1; at < end; at += 2) key += String.fromCharCode(bytes[at]! | (bytes[at + 1]! << 8));
  return key;
}

interface TraceColumns {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly parts: Int32Array;
  readonly indexes: Uint32Array;
  readonly shardOf: Uint32Array;
  readonly keys: Uint8Array;
  readonly keyEnds: Int32Array;
}

/** Where the rows of a frame come from: outlives the frame. */
class FrameTrace implements Trace {
  readonly #columns: TraceColumns;
  readonly #shards: readonly string[];
  readonly #restartsAgain: boolean;
  readonly #inputs: readonly (readonly Input[])[] | undefined;

  constructor(
    columns: TraceColumns,
    shards: readonly string[],
    restartsAgain: boolean,
    inputs: readonly (readonly Input[])[] | undefined,
  ) {
    this.#columns = columns;
    this.#shards = shards;
    this.#restartsAgain = restartsAgain;
    this.#inputs = inputs;
  }

  position(row: number): number {
    return this.#columns.high[row]! * 2 ** 32 + this.#columns.low[row]!;
  }
  part(row: number): number {
    const part = this.#columns.parts[row]!;
    return part < 0 ? -1 - part : part;
  }
  origin(row: number): Origin {
    const { shardOf, indexes, parts, keys, keyEnds } = this.#columns;
    const start = row === 0 ? 0 : keyEnds[row - 1]!;
    return {
      shard: this.#shards[shardOf[row]!]!,
      index: indexes[row]!,
      key: readKey(keys, start, keyEnds[row]!),
      part: this.part(row),
      ...(parts[row]! < 0 && { padded: true as const }),
    };
  }
  restart(row: number, again: boolean): Restart {
    // There may be more outputs of the same input behind this one.
    return { start: this.position(row) + (again || this.#restartsAgain ? 0 : 1) };
  }
  reach(row: number): number {
    return this.position(row) + 1;
  }
  inputs(row: number): readonly Input[] {
    return this.#inputs?.[row] ?? [{ origin: this.origin(row) }];
  }
  keep(): void {}
}
