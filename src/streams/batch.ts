import { misuse } from "../errors.ts";
import type { Columns } from "../schema/columns.ts";
import type { NdArray } from "../schema/ndarray.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { sizeOfRows } from "../schema/size-of.ts";
import { collate } from "./collate.ts";
import type { Origin, Trace } from "./trace.ts";

/**
 * The column of a field: numbers as `Float64Array`, booleans as `Uint8Array` of 0 and 1, arrays stacked to `[n, ...shape]`,
 * all else as a list. A field that may be `null` is always a list.
 */
export type ColumnOf<V> = null extends V
  ? readonly V[]
  : [V] extends [NdArray<infer D>]
    ? NdArray<D>
    : [V] extends [boolean]
      ? Uint8Array
      : [V] extends [number]
        ? Float64Array
        : readonly V[];

/** What {@link Batch} is made of: columns, or rows that are made into columns when asked for. */
export type BatchData = { readonly columns: Columns } | { readonly rows: readonly unknown[] };

/**
 * Some samples together, as columns. Iterating gives the samples. What a batch holds is yours to keep, but for batches made
 * with `recycle: true`: those are valid until the next one is asked for, or until {@link release}.
 */
export class Batch<T = unknown> implements Iterable<T> {
  /** Only a type: tells batches from samples. */
  declare readonly "~batch": true;
  readonly length: number;
  readonly #data: BatchData;
  readonly #trace: Trace;
  readonly #type: AnySampleType | undefined;
  readonly #ragged: "error" | "list";
  readonly #release: (() => void) | undefined;
  #released = false;

  constructor(
    data: BatchData,
    length: number,
    trace: Trace,
    options: { type: AnySampleType | undefined; ragged: "error" | "list"; release?: (() => void) | undefined },
  ) {
    this.#data = data;
    this.length = length;
    this.#trace = trace;
    this.#type = options.type;
    this.#ragged = options.ragged;
    this.#release = options.release;
  }

  /**
   * All values of one field; see {@link ColumnOf}.
   *
   * @throws {PipelineError} `RAGGED` if arrays of the field differ in shape or dtype; `batch(n, { ragged: "list" })` gives
   * them as a list.
   */
  column<K extends keyof T & string>(name: K): ColumnOf<T[K]> {
    this.#check();
    if ("columns" in this.#data) return this.#data.columns.column(name, this.#ragged) as ColumnOf<T[K]>;
    return collate(this.#data.rows, name, this.#type, this.#ragged) as ColumnOf<T[K]>;
  }

  /** Sample `i`; negative `i` counts from the end. Its arrays are views into the batch. */
  at(i: number): T | undefined {
    this.#check();
    const row = i < 0 ? this.length + i : i;
    if (!(row >= 0 && row < this.length)) return undefined;
    return ("columns" in this.#data ? this.#data.columns.row(row) : this.#data.rows[row]) as T;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.at(i) as T;
  }

  /** About how much memory its samples take. */
  get byteLength(): number {
    if ("rows" in this.#data) return sizeOfRows(this.#data.rows);
    return this.#data.columns.sizeOf(0, this.length);
  }

  /** Where sample `i` comes from. */
  origin(i: number): Origin {
    return this.#trace.origin(i);
  }

  /** Gives the memory of a recycled batch back early; nothing to do for others. Twice is fine. */
  release(): void {
    if (this.#release === undefined || this.#released) return;
    this.#released = true;
    this.#release();
  }

  #check(): void {
    if (!this.#released) return;
    throw misuse(
      new TypeError(
        "Cannot use a recycled batch any more: it was valid until the next one was asked for. To keep batches, leave { recycle: true } out",
      ),
    );
  }
}
