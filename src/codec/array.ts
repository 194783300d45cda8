import { PipelineError } from "../errors.ts";
import type { ArrayHeader as PlainArrayHeader } from "../schema/array-column.ts";
import { type ByteOrder, itemSize, layoutOf, NATIVE_ORDER, parseDtype, type StoredDType } from "../schema/dtype.ts";
import { NdArray, shapeText } from "../schema/ndarray.ts";
import { isNpy, npyHeader } from "./npy.ts";

/** What stands before the items of an encoded array, checked against the bytes that are there. */
export interface ArrayHeader extends PlainArrayHeader {
  /** The items lie in Fortran order, the first axis running fastest; only in `.npy`. */
  readonly fortranOrder: boolean;
}

/** numpy itself stops at 64 axes. */
const MAX_AXES = 64;

/**
 * The header of an ndarray in atdata's own format or in `.npy`, between two offsets. Nothing is allocated for the items.
 *
 * @throws {PipelineError} `ARRAY_CORRUPT` if the header cannot be understood, or promises other items than are there.
 */
export function arrayHeader(bytes: Uint8Array, start: number, end: number): ArrayHeader {
  const npy = isNpy(bytes, start, end);
  const header = npy ? npyHeader(bytes, start, end) : compactHeader(bytes, start, end);
  const { dtype, shape, dataStart } = header;
  const there = end - dataStart;
  let needed = itemSize(dtype);
  for (const length of shape) if (length > 0) needed *= length;
  // Beyond 2^53 the product is rounded, and no longer what was promised; numpy, too, counts without the zeros here.
  if (!Number.isSafeInteger(needed)) throw corrupt(`its shape ${shapeText(shape)} of ${dtype} is beyond 2^53 bytes`);
  const dataLength = shape.includes(0) ? 0 : needed;
  if (dataLength > there || (!npy && dataLength < there)) {
    throw corrupt(`its shape ${shapeText(shape)} of ${dtype} needs ${dataLength} bytes, and it has ${there}`);
  }
  return { ...header, dataLength };
}

// numpy's spelling of nearly all arrays has three bytes: as a number they are a key without a string.
const shortDtypes = new Map<number, StoredDType>();

function dtypeAt(bytes: Uint8Array, at: number, length: number): StoredDType {
  const key = length === 3 ? (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]! : -1;
  const known = shortDtypes.get(key);
  if (known !== undefined) return known;
  const parsed = parseDtype(String.fromCharCode(...bytes.subarray(at, at + length)));
  if (key >= 0) shortDtypes.set(key, parsed); // only what parses is kept, and few spellings of three bytes do
  return parsed;
}

/** `u8 length, dtype, u8 axes, axes * i64 little-endian`; then the items in C order. */
function compactHeader(bytes: Uint8Array, start: number, end: number): Omit<ArrayHeader, "dataLength"> {
  const have = end - start;
  const dtypeLength = have > 0 ? bytes[start]! : 0;
  if (have < dtypeLength + 2) throw corrupt(`it has ${have} bytes, and needs ${dtypeLength + 2} for dtype and axes`);
  const axes = bytes[start + 1 + dtypeLength]!;
  const dataStart = start + 2 + dtypeLength + 8 * axes;
  if (dataStart > end) throw corrupt(`it has ${have} bytes, and needs ${dataStart - start} for its ${axes} axes`);
  if (axes > MAX_AXES) throw corrupt(`it has ${axes} axes, more than ${MAX_AXES}`);
  const { dtype, byteOrder } = dtypeAt(bytes, start + 1, dtypeLength);
  const shape: number[] = [];
  for (let at = dataStart - 8 * axes; at < dataStart; at += 8) {
    const low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
    const high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    if (high < 0) throw corrupt("it has an axis of negative length");
    if (high > 0x1fffff) throw corrupt("it has an axis longer than 2^53");
    shape.push(high * 2 ** 32 + low);
  }
  return { dtype, byteOrder, shape, dataStart, fortranOrder: false };
}

/** How {@link decodeArray} may treat the bytes. */
export interface DecodeArrayOptions {
  /** `false`: the array may be a view into the given bytes, where they are aligned and in native order. @default true */
  readonly copy?: boolean;
}

/**
 * An ndarray from its bytes, in atdata's own format or in `.npy`.
 *
 * @example
 * ```ts
 * const array = NdArray.from([[1, 2], [3, 4]], "float32");
 * const bytes = new Uint8Array(encodedArraySize(array));
 * encodeArray(bytes, 0, array);
 * decodeArray(bytes).equals(array); // true
 * ```
 * @throws {PipelineError} `ARRAY_CORRUPT`, before any memory is taken for the items.
 */
export function decodeArray(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  options: DecodeArrayOptions = {},
): NdArray {
  const header = arrayHeader(bytes, start, end);
  const { dtype, byteOrder, shape, dataStart, dataLength } = header;
  const { Data, bytes: size, width } = layoutOf(dtype);
  const offset = bytes.byteOffset + dataStart;
  const plain = !header.fortranOrder && isNative(byteOrder);
  const aligned = offset % (size / width) === 0;
  const elements = (dataLength / size) * width;
  if (plain && aligned && options.copy === false)
    return new NdArray(dtype, shape, new Data(bytes.buffer, offset, elements), byteOrder);
  if (plain)
    return new NdArray(dtype, shape, new Data(bytes.buffer.slice(offset, offset + dataLength), 0, elements), byteOrder);
  const items = new Uint8Array(dataLength);
  copyItems(header, bytes, items);
  return new NdArray(dtype, shape, new Data(items.buffer, 0, elements), byteOrder);
}

const isNative = (order: ByteOrder): boolean => order === "|" || order === NATIVE_ORDER;

/** Copies the items of an encoded array into memory of `dataLength` bytes: in C order, in the byte order of the machine. */
export function copyItems(header: ArrayHeader, bytes: Uint8Array, into: Uint8Array): void {
  const { dtype, byteOrder, shape, dataStart, dataLength, fortranOrder } = header;
  const { bytes: size, unit } = layoutOf(dtype);
  const items = bytes.subarray(dataStart, dataStart + dataLength);
  if (fortranOrder && shape.length > 1) fromFortranOrder(items, shape, size, into);
  else into.set(items);
  if (!isNative(byteOrder)) swapBytes(into, 0, dataLength, unit);
}

function fromFortranOrder(items: Uint8Array, shape: readonly number[], size: number, into: Uint8Array): void {
  const strides: number[] = [];
  let stride = size;
  for (const length of shape) {
    strides.push(stride);
    stride *= length;
  }
  const index = shape.map(() => 0);
  let from = 0;
  for (let at = 0; at < into.length; at += size) {
    for (let byte = 0; byte < size; byte++) into[at + byte] = items[from + byte]!;
    // The next index in C order, like an odometer: the last axis first.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

function swapBytes(bytes: Uint8Array, start: number, length: number, unit: number): void {
  for (let item = start; item < start + length; item += unit) {
    for (let low = item, high = item + unit - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}

/** Bytes that {@link encodeArray} writes. */
export function encodedArraySize({ dtype, shape, data }: NdArray): number {
  return 3 + layoutOf(dtype).code.length + 8 * shape.length + data.byteLength;
}

/**
 * Writes an array in atdata's own format, its items in the order its `byteOrder` says.
 *
 * @returns The offset behind the last byte.
 */
export function encodeArray(into: Uint8Array, at: number, array: NdArray): number {
  const { shape, byteOrder, data } = array;
  const { code, unit } = layoutOf(array.dtype);
  if (shape.length > MAX_AXES)
    throw new RangeError(`Cannot write an array of ${shape.length} axes: ${MAX_AXES} is the most`);
  into[at++] = 1 + code.length;
  into[at++] = byteOrder.charCodeAt(0);
  for (let i = 0; i < code.length; i++) into[at++] = code.charCodeAt(i);
  into[at++] = shape.length;
  for (const length of shape) {
    for (let rest = length, i = 0; i < 8; i++, rest = Math.floor(rest / 256)) into[at++] = rest % 256;
  }
  into.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
  if (!isNative(byteOrder)) swapBytes(into, at, data.byteLength, unit);
  return at + data.byteLength;
}

function corrupt(problem: string): PipelineError {
  return new PipelineError("ARRAY_CORRUPT", `Cannot read an array: ${problem}`, {
    hint: "the bytes are damaged, or were not written as an array: read the field as bytes to look at them",
  });
}
