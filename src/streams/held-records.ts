import type { PipelineError } from "../errors.ts";
import { allocate, free } from "../runtime/allocate.ts";
import type { Records, Window } from "./chunk.ts";

/** Bytes of one slab: large enough that few samples need one of their own. */
const SLAB_BYTES = 1 << 20;

/** Rows that {@link HeldRecords.pick} gives at once. */
export const MOST_PICKED = 256;

/** What a row takes besides its bytes: its place in three lists, in the order, in a trace; its key. */
const ROW_BYTES = 64;

/** Encoded samples kept beyond the window they were read in, packed into slabs that are used again after {@link clear}. */
export class HeldRecords {
  #slabs: Window[] = [];
  /** Slabs of the rows before {@link clear}, by size: they serve those that come. */
  #spare: Window[] = [];
  #bytes = 0;
  #slab = -1;
  #free = 0;
  #length = 0;
  #windowOf = new Int32Array(1024);
  #starts = new Int32Array(1024);
  #ends = new Int32Array(1024);
  readonly #faults = new Map<number, PipelineError>();
  readonly #pickedWindows = new Int32Array(MOST_PICKED);
  readonly #pickedStarts = new Int32Array(MOST_PICKED);
  readonly #pickedEnds = new Int32Array(MOST_PICKED);

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that it takes. */
  get bytes(): number {
    return this.#bytes + ROW_BYTES * this.#length;
  }

  /** Bytes of one sample. */
  size(row: number): number {
    return this.#ends[row]! - this.#starts[row]!;
  }

  /** Takes rows `from` to `to`. */
  add(records: Records, from: number, to: number): void {
    this.#grow(this.#length + to - from);
    for (let row = from; row < to; row++) {
      const at = this.#length++;
      const start = records.starts[row]!;
      const end = records.ends[row]!;
      const fault = records.faults?.get(row);
      if (fault !== undefined) this.#faults.set(at, fault);
      const { bytes } = records.windows[records.windowOf?.[row] ?? 0]!;
      const size = start < 0 ? 0 : end - start;
      const slab = this.#slabFor(size);
      // For a few bytes a loop beats the call.
      if (size < 96) for (let i = 0; i < size; i++) slab.bytes[this.#free + i] = bytes[start + i]!;
      else slab.bytes.set(bytes.subarray(start, end), this.#free);
      this.#windowOf[at] = this.#slab;
      this.#starts[at] = start < 0 ? -1 : this.#free;
      this.#ends[at] = this.#free + size;
      this.#free += size;
    }
  }

  #slabFor(size: number): Window {
    if (this.#slab < 0 || this.#free + size > this.#slabs[this.#slab]!.bytes.length) {
      this.#slab = this.#slabs.push(this.#spareFor(size) ?? newSlab(Math.max(SLAB_BYTES, size))) - 1;
      this.#free = 0;
      this.#bytes += this.#slabs[this.#slab]!.bytes.length;
    }
    return this.#slabs[this.#slab]!;
  }

  /** The smallest slab of before that is large enough. */
  #spareFor(size: number): Window | undefined {
    const at = this.#spare.findIndex(({ bytes }) => bytes.length >= size);
    return at < 0 ? undefined : this.#spare.splice(at, 1)[0];
  }

  #grow(length: number): void {
    if (length <= this.#starts.length) return;
    const capacity = Math.max(length, 2 * this.#starts.length);
    const grown = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(capacity);
      to.set(from);
      return to;
    };
    [this.#windowOf, this.#starts, this.#ends] = [grown(this.#windowOf), grown(this.#starts), grown(this.#ends)];
  }

  /** Up to {@link MOST_PICKED} rows, in the given order; valid until the next pick. */
  pick(rows: Int32Array): Records {
    const faults = new Map<number, PipelineError>();
    if (this.#faults.size > 0) {
      rows.forEach((row, i) => {
        const fault = this.#faults.get(row);
        if (fault !== undefined) faults.set(i, fault);
      });
    }
    // One slab holds all, as with small samples: nothing to look up for each.
    const windowOf = this.#slab === 0 ? undefined : picked(this.#windowOf, rows, this.#pickedWindows);
    const starts = picked(this.#starts, rows, this.#pickedStarts);
    return { windows: this.#slabs, windowOf, starts, ends: picked(this.#ends, rows, this.#pickedEnds), faults };
  }

  /** Forgets the samples and keeps the memory that they took. */
  clear(): void {
    for (const { bytes } of this.#spare) free(bytes);
    this.#spare = this.#slabs.sort((a, b) => a.bytes.length - b.bytes.length);
    this.#slabs = [];
    [this.#slab, this.#free, this.#length, this.#bytes] = [-1, 0, 0, 0];
    this.#faults.clear();
  }

  /** Gives the memory back. */
  close(): void {
    this.clear();
    for (const { bytes } of this.#spare.splice(0)) free(bytes);
  }
}

function newSlab(size: number): Window {
  const bytes = allocate(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

function picked(values: Int32Array, rows: Int32Array, into: Int32Array): Int32Array {
  for (let i = 0; i < rows.length; i++) into[i] = values[rows[i]!]!;
  return into;
}
