import { PipelineError } from "../errors.ts";
import type { ArrayData, DType, NumericDType, TimeDType } from "./dtype.ts";
import { layoutOf, NATIVE_ORDER } from "./dtype.ts";
import { halfOfNumber, numberOfHalf } from "./float16.ts";

/** A complex number. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

/**
 * One item of an array of dtype `D` as a JavaScript value. 64-bit integers and times are `bigint`s (a time is the count of its
 * unit; numpy's NaT is -2^63); `U` items are text, `S` and `V` items and the long floats are their bytes.
 */
export type ItemOf<D extends DType> = D extends "bool"
  ? boolean
  : D extends "int64" | "uint64" | TimeDType
    ? bigint
    : D extends "complex64" | "complex128"
      ? Complex
      : D extends NumericDType
        ? number
        : D extends `U${number}`
          ? string
          : Uint8Array;

/** Item number `index` of the data of an array, counted from 0 in C order. */
export function readItem(dtype: DType, data: ArrayData, index: number): ItemOf<DType> {
  switch (dtype) {
    case "bool":
      return data[index] !== 0;
    case "complex64":
    case "complex128":
      return { re: Number(data[2 * index]), im: Number(data[2 * index + 1]) };
    case "float16":
      return data instanceof Uint16Array ? numberOfHalf(data[index]!) : data[index]!;
  }
  const { code, bytes, width } = layoutOf(dtype);
  if (width === 1 && !"SV".includes(code.charAt(0))) return data[index]!;
  const item = (data as Uint8Array).subarray(index * bytes, (index + 1) * bytes);
  if (code.startsWith("U")) return readCharacters(item);
  // numpy strips the zeros that fill up S items; V items keep all their bytes.
  return code.startsWith("S") ? item.slice(0, item.findLastIndex((byte) => byte !== 0) + 1) : item.slice();
}

function readCharacters(item: Uint8Array): string {
  const view = new DataView(item.buffer, item.byteOffset, item.byteLength);
  let text = "";
  let zeros = 0; // those at the end are filling
  for (let at = 0; at < item.length; at += 4) {
    const code = view.getUint32(at, NATIVE_ORDER === "<");
    if (code > 0x10ffff) {
      throw new PipelineError("ARRAY_CORRUPT", `Cannot read an item of text: 0x${code.toString(16)} is no character`);
    }
    if (code === 0) {
      zeros++;
    } else {
      text += "\0".repeat(zeros) + String.fromCodePoint(code);
      zeros = 0;
    }
  }
  return text;
}

/**
 * Sets item number `index`.
 *
 * @throws {TypeError} If the value is of another kind.
 * @throws {RangeError} If it does not fit the dtype.
 */
export function writeItem(dtype: DType, data: ArrayData, index: number, value: unknown): void {
  const { code, bytes, unit } = layoutOf(dtype);
  const kind = code.charAt(0);
  if (kind === "b") {
    if (typeof value !== "boolean") throw wrongItem(dtype, value);
    data[index] = value ? 1 : 0;
  } else if ("iuMm".includes(kind)) {
    writeInteger(dtype, data, index, value);
  } else if ("USV".includes(kind) || unit === 16) {
    writeBytes(dtype, data as Uint8Array, index * bytes, bytes, value);
  } else if (kind === "c") {
    writeComplex(dtype, data, index, value);
  } else {
    if (typeof value !== "number") throw wrongItem(dtype, value);
    data[index] = data instanceof Uint16Array ? halfOfNumber(value) : value;
  }
}

function writeInteger(dtype: DType, data: ArrayData, index: number, value: unknown): void {
  const big = data instanceof BigInt64Array || data instanceof BigUint64Array;
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) throw wrongItem(dtype, value);
  const item = big ? BigInt(value as number) : Number(value);
  data[index] = item;
  if (data[index] !== item) throw new RangeError(`Cannot make an array of ${dtype}: ${item} is out of its range`);
}

function writeComplex(dtype: DType, data: ArrayData, index: number, value: unknown): void {
  const { re, im } = (typeof value === "number" ? { re: value, im: 0 } : (value ?? {})) as Partial<Complex>;
  if (typeof re !== "number" || typeof im !== "number") throw wrongItem(dtype, value);
  data[2 * index] = re;
  data[2 * index + 1] = im;
}

function writeBytes(dtype: DType, data: Uint8Array, at: number, size: number, value: unknown): void {
  const text = dtype.startsWith("U");
  if (text ? typeof value !== "string" : !(value instanceof Uint8Array)) throw wrongItem(dtype, value);
  const bytes = text ? charactersOf(value as string) : (value as Uint8Array);
  if (bytes.length > size)
    throw new RangeError(`Cannot make an array of ${dtype}: an item is longer than ${size} bytes`);
  data.set(bytes, at);
}

function charactersOf(text: string): Uint8Array {
  return new Uint8Array(Uint32Array.from(text, (character) => character.codePointAt(0)!).buffer);
}

function wrongItem(dtype: DType, value: unknown): TypeError {
  const shown =
    typeof value === "object" ? Object.prototype.toString.call(value).slice(8, -1) : `${typeof value} ${String(value)}`;
  return new TypeError(`Cannot make an array of ${dtype}: ${shown} is no item of it`);
}
