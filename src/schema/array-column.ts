import { PipelineError } from "../errors.ts";
import { allocate } from "../runtime/allocate.ts";
import { type ByteOrder, type DType, layoutOf } from "./dtype.ts";
import { NdArray } from "./ndarray.ts";
import type { NamedField } from "./sample.ts";
import { sizeOfRows } from "./size-of.ts";

/** What stands before the items of an encoded array. */
export interface ArrayHeader {
  readonly dtype: DType;
  readonly byteOrder: ByteOrder;
  readonly shape: readonly number[];
  /** Where the items begin. */
  readonly dataStart: number;
  /** Bytes of all items. */
  readonly dataLength: number;
}

/** How encoded arrays are read; the codec gives it, so that this layer knows no format. */
export interface ArrayFormat {
  /** The header of a well-formed array in C order whose items are as this machine has them; undefined for any other. */
  plainHeader(bytes: Uint8Array, start: number, end: number): ArrayHeader | undefined;
}

/**
 * The arrays of one field, stacked: one allocation for all rows, and one copy for each. Arrays that do not fit the first one
 * make it a list.
 */
export class ArrayColumn {
  readonly #field: NamedField;
  readonly #capacity: number;
  readonly #format: ArrayFormat;
  /** Encoded header of the rows in `#bytes`: an equal one needs no parsing. */
  #header: Uint8Array = new Uint8Array(0);
  #first: NdArray | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #rowBytes = -1;
  #rowItems = 0;
  #list: NdArray[] | undefined;

  constructor(field: NamedField, capacity: number, format: ArrayFormat) {
    this.#field = field;
    this.#capacity = capacity;
    this.#format = format;
  }

  /** Takes an encoded array as row `row`, which is the next one; false when that needs the general way. */
  put(row: number, bytes: Uint8Array, start: number, end: number): boolean {
    const header = this.#header;
    const size = header.length;
    if (this.#list !== undefined) return false;
    if (end - start === size + this.#rowBytes) {
      let i = 0;
      while (i < size && bytes[start + i] === header[i]) i++;
      if (i === size) {
        // Copying a view is the fast way for all but a few bytes.
        this.#bytes.set(bytes.subarray(start + size, end), row * this.#rowBytes);
        return true;
      }
    }
    return row === 0 && this.#begin(bytes, start, end);
  }

  #begin(bytes: Uint8Array, start: number, end: number): boolean {
    const header = this.#format.plainHeader(bytes, start, end);
    if (header === undefined) return false;
    this.#allocate(header.dtype, header.byteOrder, header.shape);
    this.#header = bytes.slice(start, header.dataStart);
    this.#bytes.set(bytes.subarray(header.dataStart, end), 0);
    return true;
  }

  #allocate(dtype: DType, byteOrder: ByteOrder, shape: readonly number[]): void {
    const items = shape.reduce((product, length) => product * length, 1);
    const { Data, bytes, width } = layoutOf(dtype);
    const total = this.#capacity * items;
    this.#bytes = allocate(total * bytes);
    const data = new Data(this.#bytes.buffer, this.#bytes.byteOffset, total * width);
    this.#first = new NdArray(dtype, [this.#capacity, ...shape], data as never, byteOrder);
    this.#rowBytes = items * bytes;
    this.#rowItems = items;
    this.#header = new Uint8Array(0);
  }

  /** Takes an array as row `row`, which is the next one. */
  putArray(row: number, array: NdArray): void {
    if (this.#list === undefined && row === 0) this.#allocate(array.dtype, array.byteOrder, array.shape);
    if (this.#list === undefined && this.#fits(array)) {
      const { buffer, byteOffset, byteLength } = array.data;
      this.#bytes.set(new Uint8Array(buffer, byteOffset, byteLength), row * this.#rowBytes);
      return;
    }
    this.#list ??= Array.from({ length: row }, (_, i) => this.at(i));
    this.#list[row] = array;
  }

  #fits(array: NdArray): boolean {
    const first = this.#first!;
    return (
      array.dtype === first.dtype &&
      array.byteOrder === first.byteOrder &&
      array.shape.length === first.shape.length - 1 &&
      array.shape.every((length, axis) => length === first.shape[axis + 1])
    );
  }

  /** Takes row `from` of another column as row `row`, which is the next one. */
  copy(row: number, source: ArrayColumn, from: number): void {
    this.putArray(row, source.at(from));
  }

  /** The array of one row, a view where rows are stacked. */
  at(row: number): NdArray {
    if (this.#list !== undefined) return this.#list[row]!;
    const stacked = this.#first!;
    const from = row * this.#rowItems * stacked.width;
    return new NdArray(
      stacked.dtype,
      stacked.shape.slice(1),
      stacked.data.subarray(from, from + this.#rowItems * stacked.width) as never,
      stacked.byteOrder,
    );
  }

  /** About how much memory rows `from` to `to` take. */
  sizeOf(from: number, to: number): number {
    return this.#list === undefined ? (to - from) * this.#rowBytes : sizeOfRows(this.#list, from, to);
  }

  list(length: number): NdArray[] {
    return Array.from({ length }, (_, row) => this.at(row));
  }

  /** The arrays of the first `length` rows on a new first axis. */
  stacked(length: number): NdArray {
    if (this.#list !== undefined) {
      const [first] = this.#list as [NdArray];
      const other = this.#list.find((array) => describe(array) !== describe(first))!;
      throw raggedError(this.#field.name, describe(first), describe(other));
    }
    const all = this.#first!;
    const items = length * this.#rowItems * all.width;
    return new NdArray(all.dtype, [length, ...all.shape.slice(1)], all.data.subarray(0, items) as never, all.byteOrder);
  }

  /** Forgets the rows and keeps their memory. */
  reset(): void {
    this.#list = undefined;
  }
}

function describe(array: NdArray): string {
  return `${array.byteOrder === ">" ? "big-endian " : ""}${array.dtype} [${array.shape.join(", ")}]`;
}

/** Says which shapes do not fit together. */
export function raggedError(field: string, first: string, other: string): PipelineError {
  return new PipelineError("RAGGED", `Cannot stack column "${field}": one array is ${first}, another ${other}`, {
    field,
    hint: 'ask for a list of arrays with batch(size, { ragged: "list" }), or bring them to one shape with map',
  });
}
