import { PipelineError } from "../errors.ts";
import { allocate } from "../runtime/allocate.ts";
import { ArrayColumn } from "../schema/array-column.ts";
import { Columns, type MakeArrayColumn, setField } from "../schema/columns.ts";
import { layoutOf, NATIVE_ORDER } from "../schema/dtype.ts";
import type { FieldSpec } from "../schema/field.ts";
import { NdArray } from "../schema/ndarray.ts";
import type { AnySampleType, NamedField, SampleTypeOf } from "../schema/sample.ts";
import { type ArrayHeader, arrayHeader } from "./array.ts";
import { canCompile, compile } from "./compile.ts";
import { type Cursor, cursorOver, readValue, skipValue, viewOf } from "./msgpack.ts";
import { columnsTemplate, rowsTemplate } from "./reader-template.ts";
import { readText } from "./text.ts";
import { fitsSpec, readFields, type UnknownFields } from "./typed.ts";

export interface SampleReaderOptions {
  /** The only fields to decode; the others are passed over. @default all */
  readonly fields?: readonly string[] | undefined;
  /** What to do with fields that the type has not. @default "error" */
  readonly unknownFields?: UnknownFields | undefined;
  /** Whether a function may be built for the type. @default where the runtime allows it */
  readonly compiled?: boolean | undefined;
}

/** Memory that encoded samples lie in. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

type ReadColumns = (
  ...args: [Uint8Array, DataView, Int32Array, Int32Array, number, number, number, Columns["data"]]
) => number;
type ReadRows = (...args: [Uint8Array, DataView, Int32Array, Int32Array, number, number, unknown[]]) => number;

/** Reads samples of one type: built once, used for all of them. */
export class SampleReader<out T = unknown> {
  readonly #type: AnySampleType;
  readonly #wanted: ReadonlySet<string>;
  readonly #kept: readonly NamedField[];
  readonly #unknown: UnknownFields;
  #columns: ReadColumns | undefined;
  #rows: ReadRows | undefined;
  readonly #compiled: boolean;

  constructor(
    type: SampleTypeOf<T>,
    { fields, unknownFields = "error", compiled = canCompile }: SampleReaderOptions = {},
  ) {
    this.#type = type;
    this.#wanted = new Set(fields ?? type.fields.map((field) => field.name));
    this.#kept = type.fields.filter((field) => this.#wanted.has(field.name));
    this.#unknown = unknownFields;
    this.#compiled = compiled;
  }

  /** Room for `capacity` samples. */
  makeColumns(capacity: number): Columns {
    return new Columns(this.#kept, capacity, makeArrayColumn);
  }

  /** One sample from its bytes. */
  read(bytes: Uint8Array): T {
    const samples: T[] = [];
    this.readRows({ bytes, view: viewOf(bytes) }, Int32Array.of(0), Int32Array.of(bytes.length), 0, 1, samples);
    return samples[0]!;
  }

  /**
   * Appends samples `from` to `to`, which lie at `starts` and `ends`, to a list. When one fails, those before it are there.
   *
   * @throws {PipelineError} See {@link readFields}.
   */
  readRows({ bytes, view }: Encoded, starts: Int32Array, ends: Int32Array, from: number, to: number, into: T[]): void {
    if (this.#compiled) this.#rows ??= this.#compileRows();
    while (from < to) {
      if (this.#rows !== undefined) from = this.#rows(bytes, view, starts, ends, from, to, into);
      if (from === to) return;
      const values = this.#general(bytes, view, starts[from]!, ends[from]!);
      const sample: Record<string, unknown> = {};
      for (let i = 0; i < values.length; i++) setField(sample, this.#kept[i]!.name, values[i]);
      into.push(sample as T);
      from++;
    }
  }

  /** As {@link readRows}, into columns that have room for them. */
  readColumns(
    { bytes, view }: Encoded,
    starts: Int32Array,
    ends: Int32Array,
    from: number,
    to: number,
    into: Columns,
  ): void {
    if (this.#compiled) this.#columns ??= this.#compileColumns();
    while (from < to) {
      if (this.#columns !== undefined) {
        const next = this.#columns(bytes, view, starts, ends, from, to, into.length, into.data);
        into.length += next - from;
        from = next;
      }
      if (from === to) return;
      into.push(this.#general(bytes, view, starts[from]!, ends[from]!));
      from++;
    }
  }

  #general(bytes: Uint8Array, view: DataView, start: number, end: number): unknown[] {
    const read = (cursor: Cursor): unknown[] =>
      readFields(cursor, this.#type.name, this.#type.fields, this.#wanted, this.#unknown);
    try {
      return read({ bytes, view, at: start, end });
    } catch (error) {
      if (!(error instanceof PipelineError) || error.facts.offset === undefined) throw error;
      // Once more, so that the offset in the message counts from the start of the sample.
      return read(cursorOver(bytes.subarray(start, end)));
    }
  }

  #compileColumns(): ReadColumns {
    return compile(columnsTemplate(this.#type.fields, this.#wanted), this.#uses());
  }

  #compileRows(): ReadRows {
    return compile(rowsTemplate(this.#type.fields, this.#wanted), this.#uses());
  }

  #uses(): Readonly<Record<string, unknown>> {
    return {
      text: readText,
      skip: skipValue,
      arrays: this.#kept.map((field) => new ArrayReader(field.spec)),
      dicts: this.#kept.map((field) => dictReader(field.spec)),
    };
  }
}

/** A dict on the fast way; undefined leaves the sample to the general reader, which says what is wrong. */
function dictReader(spec: FieldSpec): (bytes: Uint8Array, view: DataView, at: number, end: number) => unknown {
  return (bytes, view, at, end) => {
    // Values of one kind are checked by the general reader.
    if (spec.kind !== "dict" || spec.values !== undefined) return undefined;
    try {
      return readValue({ bytes, view, at, end });
    } catch (error) {
      if (error instanceof PipelineError) return undefined;
      throw error;
    }
  };
}

/** The header of an array that can be copied as it stands: well-formed, in C order, in the byte order of the machine. */
function plainHeader(spec: FieldSpec, bytes: Uint8Array, start: number, end: number): ArrayHeader | undefined {
  let header: ArrayHeader;
  try {
    header = arrayHeader(bytes, start, end);
  } catch (error) {
    if (error instanceof PipelineError) return undefined;
    throw error;
  }
  const { dtype, byteOrder, shape, dataStart, dataLength, fortranOrder } = header;
  const plain = !fortranOrder && (byteOrder === "|" || byteOrder === NATIVE_ORDER) && dataStart + dataLength === end;
  return plain && fitsSpec(spec, dtype, shape) ? header : undefined;
}

const makeArrayColumn: MakeArrayColumn = (field, capacity) =>
  new ArrayColumn(field, capacity, { plainHeader: (bytes, start, end) => plainHeader(field.spec, bytes, start, end) });

/** Reads the arrays of one field; an array with the header of the one before needs no parsing. */
class ArrayReader {
  readonly #spec: FieldSpec;
  #header: Uint8Array = new Uint8Array(0);
  #parsed: ArrayHeader | undefined;

  constructor(spec: FieldSpec) {
    this.#spec = spec;
  }

  /** Undefined leaves the sample to the general reader. */
  read(bytes: Uint8Array, start: number, end: number): NdArray | undefined {
    const { length } = this.#header;
    if (
      this.#parsed === undefined ||
      end - start !== length + this.#parsed.dataLength ||
      !this.#matches(bytes, start)
    ) {
      const header = plainHeader(this.#spec, bytes, start, end);
      if (header === undefined) return undefined;
      this.#parsed = header;
      this.#header = bytes.slice(start, header.dataStart);
    }
    const { dtype, shape, byteOrder } = this.#parsed;
    const { Data, bytes: size, width } = layoutOf(dtype);
    const items = allocate(end - start - this.#header.length);
    items.set(bytes.subarray(start + this.#header.length, end));
    const data = new Data(items.buffer, items.byteOffset, (items.length / size) * width);
    return new NdArray(dtype, shape, data, byteOrder);
  }

  #matches(bytes: Uint8Array, start: number): boolean {
    const header = this.#header;
    for (let i = 0; i < header.length; i++) if (bytes[start + i] !== header[i]) return false;
    return true;
  }
}
