import type { Untyped } from "../schema/field.ts";
import { describe, isPlainObject } from "../schema/plain.ts";
import { MAX_DEPTH, viewOf } from "./msgpack.ts";

const encoder = new TextEncoder();

/**
 * An untyped value as msgpack, in the bytes Python's msgpack writes for it. A number without a fraction is written as an
 * integer where it is a safe one, any other number as a 64-bit float; a bigint always as an integer.
 *
 * @example
 * ```ts
 * encodeUntyped({ n: 1, x: 1.5 }); // 82 a1 6e 01 a1 78 cb 3f f8 00 00 00 00 00 00
 * ```
 * @throws {TypeError} If a value is `undefined`, a function or an instance of some class, or text is no Unicode.
 * @throws {RangeError} If a bigint is outside of -2^63 to 2^64-1, or values are nested more than 1022 deep.
 */
export function encodeUntyped(value: Untyped): Uint8Array {
  const bytes = new Uint8Array(valueSize(value));
  writeValue(bytes, viewOf(bytes), 0, value);
  return bytes;
}

/** The bytes that begin a list of values, or a map of pairs. */
export function encodeHead(kind: "list" | "map", count: number): Uint8Array {
  const bytes = new Uint8Array(headSize(count, 16, false));
  writeCount(bytes, viewOf(bytes), 0, count, kind === "list" ? 0x90 : 0x80, kind === "list" ? 0xdc : 0xde);
  return bytes;
}

/** Bytes that {@link writeValue} writes; it throws what {@link encodeUntyped} does. */
export function valueSize(value: unknown, depth = 0): number {
  switch (typeof value) {
    case "boolean":
      return 1;
    case "number":
      return isInt(value) ? intSize(value) : 9;
    case "bigint":
      return bigintSize(value);
    case "string":
      return textSize(value);
  }
  if (value === null) return 1;
  if (value instanceof Uint8Array) return headSize(value.length, 0, true) + value.length;
  if (depth >= MAX_DEPTH) throw new RangeError(`Cannot write a value: it is nested more than ${MAX_DEPTH} deep`);
  if (Array.isArray(value)) {
    let size = headSize(value.length, 16, false);
    for (let i = 0; i < value.length; i++) size += valueSize(value[i], depth + 1);
    return size;
  }
  if (!isPlainObject(value)) throw new TypeError(`Cannot write a value: msgpack has nothing for ${describe(value)}`);
  const keys = Object.keys(value);
  let size = headSize(keys.length, 16, false);
  for (const key of keys) size += textSize(key) + valueSize(value[key], depth + 1);
  return size;
}

/**
 * Writes a value that {@link valueSize} has measured.
 *
 * @returns The offset behind its last byte.
 */
export function writeValue(into: Uint8Array, view: DataView, at: number, value: unknown): number {
  switch (typeof value) {
    case "boolean":
      into[at] = value ? 0xc3 : 0xc2;
      return at + 1;
    case "number":
      if (isInt(value)) return writeInt(into, view, at, value);
      into[at] = 0xcb;
      view.setFloat64(at + 1, value);
      return at + 9;
    case "bigint":
      return writeBigint(into, view, at, value);
    case "string":
      return writeText(into, view, at, value);
  }
  if (value === null) {
    into[at] = 0xc0;
    return at + 1;
  }
  if (value instanceof Uint8Array) {
    at = writeLength(into, view, at, value.length, 0xc4);
    into.set(value, at);
    return at + value.length;
  }
  if (Array.isArray(value)) {
    at = writeCount(into, view, at, value.length, 0x90, 0xdc);
    for (let i = 0; i < value.length; i++) at = writeValue(into, view, at, value[i]);
    return at;
  }
  const map = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(map);
  at = writeCount(into, view, at, keys.length, 0x80, 0xde);
  for (const key of keys) at = writeValue(into, view, writeText(into, view, at, key), map[key]);
  return at;
}

// -0 has no place among the integers, and beyond 2^53 a number is no exact one.
const isInt = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);

function intSize(value: number): number {
  if (value >= -32 && value < 128) return 1;
  if (value >= -128 && value < 256) return 2;
  if (value >= -(2 ** 15) && value < 2 ** 16) return 3;
  return value >= -(2 ** 31) && value < 2 ** 32 ? 5 : 9;
}

/** Bytes of a bigint. @throws {RangeError} If it has more than 64 bits. */
export function bigintSize(value: bigint): number {
  if (value < -(2n ** 63n) || value >= 2n ** 64n)
    throw new RangeError(`Cannot write ${value}: msgpack has -2^63 to 2^64-1`);
  const number = Number(value);
  return Number.isSafeInteger(number) ? intSize(number) : 9;
}

/** Writes a safe integer in its shortest form. */
export function writeInt(into: Uint8Array, view: DataView, at: number, value: number): number {
  if (value >= 0 && value < 128) {
    into[at] = value;
    return at + 1;
  }
  const size = intSize(value);
  if (size === 9) return writeBigint(into, view, at, BigInt(value));
  if (size > 1) into[at++] = (value < 0 ? 0xd0 : 0xcc) + Math.log2(size - 1); // size - 1 is 1, 2 or 4
  if (size === 5) view.setUint32(at, value);
  else if (size === 3) view.setUint16(at, value);
  else into[at] = value;
  return at + Math.max(1, size - 1);
}

/** Writes a whole number of 64 bits in its shortest form. */
export function writeBigint(into: Uint8Array, view: DataView, at: number, value: bigint): number {
  if (bigintSize(value) < 9) return writeInt(into, view, at, Number(value));
  into[at] = value < 0n ? 0xd3 : 0xcf;
  view.setBigInt64(at + 1, value);
  return at + 9;
}

function textSize(text: string): number {
  if (!text.isWellFormed()) throw new TypeError(`Cannot write a text: half a surrogate pair in it has no UTF-8`);
  const length = utf8Length(text);
  return headSize(length, 32, true) + length;
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // The two halves of a pair make four bytes: two each.
    if (unit >= 0x80) length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return length;
}

/** Writes text that is well-formed. */
export function writeText(into: Uint8Array, view: DataView, at: number, text: string): number {
  // Short ASCII, which most names and labels are, needs no encoder.
  if (text.length < 32) {
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) break;
      into[at + 1 + i] = unit;
    }
    if (i === text.length) {
      into[at] = 0xa0 | i;
      return at + 1 + i;
    }
  }
  const length = utf8Length(text);
  if (length < 32) into[at++] = 0xa0 | length;
  else at = writeLength(into, view, at, length, 0xd9);
  encoder.encodeInto(text, into.subarray(at, at + length));
  return at + length;
}

/** Bytes of wire byte and length; below `short` the length is part of the wire byte. */
function headSize(length: number, short: number, eightBits: boolean): number {
  if (length >= 2 ** 32) throw new RangeError(`Cannot write ${length} bytes or values: msgpack has lengths below 2^32`);
  if (length < short) return 1;
  return length < 256 && eightBits ? 2 : length < 65536 ? 3 : 5;
}

/** Writes a length in 8, 16 or 32 bits, behind one of three wire bytes in a row. */
export function writeLength(into: Uint8Array, view: DataView, at: number, length: number, first: number): number {
  if (length >= 256) return writeCount(into, view, at, length, undefined, first + 1);
  into[at] = first;
  into[at + 1] = length;
  return at + 2;
}

/** Writes a length in 16 or 32 bits, behind one of two wire bytes; or below 16 in the wire byte `short`. */
export function writeCount(
  into: Uint8Array,
  view: DataView,
  at: number,
  length: number,
  short: number | undefined,
  first: number,
): number {
  if (short !== undefined && length < 16) {
    into[at] = short | length;
    return at + 1;
  }
  if (length < 65536) {
    into[at] = first;
    view.setUint16(at + 1, length);
    return at + 3;
  }
  into[at] = first + 1;
  view.setUint32(at + 1, length);
  return at + 5;
}
