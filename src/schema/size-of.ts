import { NdArray } from "./ndarray.ts";

/** Bytes of what stands around a value: headers, slots, hidden classes. Rough, and rather too much. */
const OBJECT = 48;
const SLOT = 16;

/** About how much memory a value takes. What two rows share is counted twice. */
export function sizeOf(value: unknown): number {
  switch (typeof value) {
    case "string":
      return SLOT + 8 + 2 * value.length;
    case "bigint":
      return 32;
    case "object":
      return value === null ? 8 : sizeOfObject(value);
    default:
      return 8;
  }
}

function sizeOfObject(value: object): number {
  if (value instanceof NdArray) return 3 * OBJECT + value.data.byteLength;
  // Typed arrays, buffers, blocks of our own: whatever says it of itself.
  if ("byteLength" in value && typeof value.byteLength === "number") return 2 * OBJECT + value.byteLength;
  let bytes = OBJECT;
  if (Array.isArray(value)) {
    for (const item of value) bytes += SLOT + sizeOf(item);
  } else if (value instanceof Map) {
    for (const [key, item] of value) bytes += 2 * SLOT + sizeOf(key) + sizeOf(item);
  } else if (value instanceof Set) {
    for (const item of value) bytes += 2 * SLOT + sizeOf(item);
  } else {
    for (const name in value) bytes += SLOT + sizeOf((value as Record<string, unknown>)[name]);
  }
  return bytes;
}

/** About how much memory some rows take. */
export function sizeOfRows(rows: readonly unknown[], from = 0, to: number = rows.length): number {
  let bytes = 0;
  for (let row = from; row < to; row++) bytes += SLOT + sizeOf(rows[row]);
  return bytes;
}
