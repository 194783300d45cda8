import { PipelineError } from "../errors.ts";
import { HalfArray } from "./float16.ts";

/** How the items of an array are stored: little-endian, big-endian, or of single bytes, as numpy spells it. */
export type ByteOrder = "<" | ">" | "|";

interface NumericData {
  bool: Uint8Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  float16: Float16Array | Uint16Array;
  float32: Float32Array;
  float64: Float64Array;
  complex64: Float32Array;
  complex128: Float64Array;
}

/** The dtypes that atdata's schemas can name. */
export type NumericDType = keyof NumericData;
/** Times as 64-bit counts of a unit, `datetime64[ns]` or `timedelta64[25s]`; without a unit numpy's "generic". */
export type TimeDType = `datetime64${`[${string}]` | ""}` | `timedelta64${`[${string}]` | ""}`;
/**
 * Items of a fixed number of bytes: `U12` (12 characters of UTF-32), `S12` (12 bytes of text), `V12` (12 bytes of anything),
 * and the long floats of x86.
 */
export type RawDType = `U${number}` | `S${number}` | `V${number}` | "float128" | "complex256";

/** What the items of an {@link NdArray} are: numpy's name of the dtype, without byte order. */
export type DType = NumericDType | TimeDType | RawDType;

/**
 * The typed array that holds items of a dtype, in the byte order of the machine. Complex numbers are pairs (real, imaginary);
 * `float16` is a `Float16Array`, and where the runtime has none (Node 22) a `Uint16Array` of bits; raw items are their bytes.
 */
export type DataOf<D extends DType> = D extends NumericDType
  ? NumericData[D]
  : D extends TimeDType
    ? BigInt64Array
    : Uint8Array;

/** Any typed array that can hold the items of an {@link NdArray}. */
export type ArrayData = DataOf<DType>;

/** How one item lies in memory and in the typed array. */
export interface ItemLayout {
  /** numpy's spelling without byte order: `f4`. */
  readonly code: string;
  /** Bytes of one item. */
  readonly bytes: number;
  /** Bytes that change places together when the byte order changes; 1: it has none. */
  readonly unit: number;
  /** Elements of the typed array for one item. */
  readonly width: number;
  readonly Data: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayData;
}

const layout = (
  code: string,
  bytes: number,
  Data: ItemLayout["Data"] & { BYTES_PER_ELEMENT: number },
  unit?: number,
): ItemLayout => ({
  code,
  bytes,
  unit: unit ?? Data.BYTES_PER_ELEMENT,
  width: bytes / Data.BYTES_PER_ELEMENT,
  Data,
});

const layouts = new Map<string, ItemLayout>(
  Object.entries({
    bool: layout("b1", 1, Uint8Array),
    int8: layout("i1", 1, Int8Array),
    int16: layout("i2", 2, Int16Array),
    int32: layout("i4", 4, Int32Array),
    int64: layout("i8", 8, BigInt64Array),
    uint8: layout("u1", 1, Uint8Array),
    uint16: layout("u2", 2, Uint16Array),
    uint32: layout("u4", 4, Uint32Array),
    uint64: layout("u8", 8, BigUint64Array),
    float16: layout("f2", 2, HalfArray),
    float32: layout("f4", 4, Float32Array),
    float64: layout("f8", 8, Float64Array),
    complex64: layout("c8", 8, Float32Array),
    complex128: layout("c16", 16, Float64Array),
    float128: layout("f16", 16, Uint8Array, 16),
    complex256: layout("c32", 32, Uint8Array, 16),
  } satisfies Record<NumericDType | "float128" | "complex256", ItemLayout>),
);
const namesByCode = new Map([...layouts].map(([name, { code }]) => [code, name as DType]));

const TIME = /^(?:datetime64|timedelta64)(\[(?:[1-9]\d{0,8})?(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as|generic)\])?$/;
const RAW = /^([USV])([1-9]\d{0,8})$/;

/**
 * How the items of a dtype lie in memory.
 *
 * @throws {PipelineError} `ARRAY_CORRUPT` if there is no such dtype.
 */
export function layoutOf(dtype: DType): ItemLayout {
  const found = layouts.get(dtype) ?? flexibleLayout(dtype);
  if (found === undefined) throw unknownDtype(dtype);
  return found;
}

function flexibleLayout(dtype: string): ItemLayout | undefined {
  const time = TIME.exec(dtype);
  if (time !== null) return layout((dtype.startsWith("d") ? "M8" : "m8") + (time[1] ?? ""), 8, BigInt64Array);
  const raw = RAW.exec(dtype);
  if (raw === null) return undefined;
  const size = Number(raw[2]);
  return raw[1] === "U" ? layout(dtype, 4 * size, Uint8Array, 4) : layout(dtype, size, Uint8Array);
}

/** Bytes of one item of a dtype. */
export function itemSize(dtype: DType): number {
  return layoutOf(dtype).bytes;
}

/** Whether text is the name of a dtype: `isDType("float32")`, `isDType("datetime64[ns]")`. */
export function isDType(name: string): name is DType {
  return layouts.has(name) || flexibleLayout(name) !== undefined;
}

/** The byte order of this machine. */
export const NATIVE_ORDER: "<" | ">" = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "<" : ">";

/** The order that a dtype is written in when nothing else is known: little-endian, or `|` where there is no order. */
export function defaultByteOrder(dtype: DType): ByteOrder {
  return layoutOf(dtype).unit === 1 ? "|" : "<";
}

/** numpy's `dtype.str`: `numpySpelling("float32", "<")` is `<f4`. */
export function numpySpelling(dtype: DType, byteOrder: ByteOrder): string {
  return byteOrder + layoutOf(dtype).code;
}

/** A dtype as it is stored: what the items are, and in which byte order. */
export interface StoredDType {
  readonly dtype: DType;
  readonly byteOrder: ByteOrder;
}

/**
 * Reads numpy's spelling of a dtype: the forms of `dtype.str` (`<f4`, `|u1`, `>M8[ns]`), `=` for the order of the machine, and
 * plain names (`float32`). Objects, structures and numpy's many other aliases are refused.
 *
 * @example
 * ```ts
 * parseDtype(">i2"); // { dtype: "int16", byteOrder: ">" }
 * ```
 * @throws {PipelineError} `ARRAY_CORRUPT` for anything else.
 */
export function parseDtype(text: string): StoredDType {
  if (isDType(text)) return { dtype: text, byteOrder: defaultByteOrder(text) };
  const order = text.charAt(0);
  const dtype = nameOfCode(text.slice(1));
  if (dtype === undefined || !"<>=|".includes(order)) throw unknownDtype(text);
  if (layoutOf(dtype).unit === 1) return { dtype, byteOrder: "|" };
  if (order === "|") throw unknownDtype(text);
  return { dtype, byteOrder: order === "=" ? NATIVE_ORDER : (order as "<" | ">") };
}

function nameOfCode(code: string): DType | undefined {
  const name = namesByCode.get(code) ?? code.replace(/^M8(?=\[|$)/, "datetime64").replace(/^m8(?=\[|$)/, "timedelta64");
  // A plain name has no byte order before it: "<float32" is nothing that numpy writes.
  return name !== code || RAW.test(code) ? (isDType(name) ? name : undefined) : undefined;
}

function unknownDtype(text: string): PipelineError {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  const what = /^.?O/.test(text)
    ? "it holds Python objects, which are code as much as data"
    : "there is no such dtype here";
  return new PipelineError("ARRAY_CORRUPT", `Cannot read an array of dtype ${shown}: ${what}`, {
    dtype: text,
    hint: "write the array with a plain dtype (numbers, bool, complex, datetime64, text, bytes), or read the field as bytes",
  });
}
