import { ArrayColumn } from "./array-column.ts";
import type { NdArray } from "./ndarray.ts";
import type { NamedField } from "./sample.ts";
import { sizeOfRows } from "./size-of.ts";

/** Where the values of one field lie: numbers in a typed array, arrays of equal shape stacked, all else in a list. */
export type ColumnData = Float64Array | Uint8Array | unknown[] | ArrayColumn;

/** How an encoded array is taken apart; given by the codec, which lies above this layer. */
export type MakeArrayColumn = (field: NamedField, capacity: number) => ArrayColumn;

function columnFor(field: NamedField, capacity: number, makeArrayColumn: MakeArrayColumn): ColumnData {
  const { spec, optional } = field;
  if (optional) return new Array(capacity).fill(null);
  switch (spec.kind) {
    case "float":
      return new Float64Array(capacity);
    case "int":
      return spec.mode === "number" ? new Float64Array(capacity) : new Array(capacity).fill(0);
    case "bool":
      return new Uint8Array(capacity);
    case "ndarray":
      return makeArrayColumn(field, capacity);
    default:
      return new Array(capacity).fill("");
  }
}

/** Samples of one type, field by field. Rows are filled from 0 on; `length` says how many are there. */
export class Columns {
  readonly fields: readonly NamedField[];
  readonly capacity: number;
  readonly data: readonly ColumnData[];
  length = 0;
  readonly #makeArrayColumn: MakeArrayColumn;

  constructor(
    fields: readonly NamedField[],
    capacity: number,
    makeArrayColumn: MakeArrayColumn,
    data?: readonly ColumnData[],
  ) {
    this.fields = fields;
    this.capacity = capacity;
    this.#makeArrayColumn = makeArrayColumn;
    this.data = data ?? fields.map((field) => columnFor(field, capacity, makeArrayColumn));
  }

  /** Room for `capacity` rows of the same fields. */
  emptyCopy(capacity: number): Columns {
    return new Columns(this.fields, capacity, this.#makeArrayColumn);
  }

  /** The same rows with some of the fields. */
  only(names: readonly string[]): Columns {
    const kept = this.fields.flatMap((field, index) => (names.includes(field.name) ? [index] : []));
    if (kept.length === this.fields.length) return this;
    const fields = kept.map((index) => this.fields[index]!);
    const columns = new Columns(
      fields,
      this.capacity,
      this.#makeArrayColumn,
      kept.map((index) => this.data[index]!),
    );
    columns.length = this.length;
    return columns;
  }

  /** Forgets the rows and keeps their memory. */
  reset(): this {
    this.length = 0;
    for (const data of this.data) if (data instanceof ArrayColumn) data.reset();
    return this;
  }

  /** About how much memory rows `from` to `to` take. */
  sizeOf(from: number, to: number): number {
    let bytes = 0;
    for (const data of this.data) {
      if (data instanceof ArrayColumn) bytes += data.sizeOf(from, to);
      else bytes += Array.isArray(data) ? sizeOfRows(data, from, to) : (to - from) * data.BYTES_PER_ELEMENT;
    }
    return bytes;
  }

  indexOf(name: string): number {
    const index = this.fields.findIndex((field) => field.name === name);
    if (index >= 0) return index;
    const known = this.fields.map((field) => field.name).join(", ");
    throw new TypeError(`Cannot give column "${name}": the samples have the fields ${known}`);
  }

  /** One value, as it stands in a sample. */
  value(index: number, row: number): unknown {
    const data = this.data[index]!;
    if (data instanceof ArrayColumn) return data.at(row);
    return data instanceof Uint8Array ? data[row] === 1 : data[row];
  }

  /** One sample, as an object of its own. Large values are views into the column. */
  row(row: number): Record<string, unknown> {
    const sample: Record<string, unknown> = {};
    for (let i = 0; i < this.fields.length; i++) setField(sample, this.fields[i]!.name, this.value(i, row));
    return sample;
  }

  /** Takes one value for each field as the next row. */
  push(values: readonly unknown[]): void {
    const row = this.length;
    for (let i = 0; i < values.length; i++) {
      const data = this.data[i]!;
      if (data instanceof ArrayColumn) data.putArray(row, values[i] as NdArray);
      else (data as unknown[])[row] = data instanceof Uint8Array ? Number(values[i]) : values[i];
    }
    this.length = row + 1;
  }

  /** Takes rows over from other columns with the same fields. */
  append(from: Columns, rows: Int32Array): void {
    let at = this.length;
    if (at + rows.length > this.capacity)
      throw new RangeError(`Cannot append ${rows.length} rows: ${this.capacity - at} fit`);
    for (let i = 0; i < this.data.length; i++) {
      const into = this.data[i]!;
      const source = from.data[i]!;
      if (into instanceof ArrayColumn) {
        for (let k = 0; k < rows.length; k++) into.copy(at + k, source as ArrayColumn, rows[k]!);
      } else {
        for (let k = 0; k < rows.length; k++) (into as unknown[])[at + k] = (source as unknown[])[rows[k]!];
      }
    }
    at += rows.length;
    this.length = at;
  }

  /** The values of all rows, as {@link Batch.column} gives them. */
  column(name: string, ragged: "error" | "list"): unknown {
    const index = this.indexOf(name);
    const data = this.data[index]!;
    if (data instanceof ArrayColumn) return ragged === "list" ? data.list(this.length) : data.stacked(this.length);
    return Array.isArray(data) ? data.slice(0, this.length) : data.subarray(0, this.length);
  }
}

/** Sets a field of a sample; `__proto__` is a name like any other. */
export function setField(sample: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__")
    Object.defineProperty(sample, name, { value, enumerable: true, writable: true, configurable: true });
  else sample[name] = value;
}
