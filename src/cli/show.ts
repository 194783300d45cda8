import { decodeArray } from "../codec/array.ts";
import { NdArray } from "../index.ts";
import { floatRepr } from "../schema/float-repr.ts";

/** Characters of a text, bytes of bytes, and items of a list or array that are shown. */
const [MOST_TEXT, MOST_BYTES, MOST_ITEMS] = [80, 16, 6];
/** Lists in lists deeper than this are only counted. */
const MOST_LEVELS = 3;

/** A value on one line, cut where it is long. Bytes that look like an array are shown as one, and said to be a guess. */
export function showValue(value: unknown, isFloat = false, level = 0): string {
  if (typeof value === "string") return showText(value);
  if (typeof value === "number") return isFloat || !Number.isSafeInteger(value) ? floatRepr(value) : String(value);
  if (value instanceof NdArray) return showArray(value);
  if (value instanceof Uint8Array) {
    const array = arrayInBytes(value);
    return array === undefined ? showBytes(value) : `${showArray(array)} (a guess from ${value.length} bytes)`;
  }
  if (typeof value !== "object" || value === null) return String(value);
  const isList = Array.isArray(value);
  const parts = isList
    ? value.slice(0, MOST_ITEMS).map((item) => showValue(item, isFloat, level + 1))
    : Object.entries(value)
        .slice(0, MOST_ITEMS)
        .map(([key, item]) => `${showText(key)}: ${showValue(item, isFloat, level + 1)}`);
  const { length } = isList ? value : Object.keys(value);
  const more = length > parts.length ? `, … ${length} in all` : "";
  const inner = level < MOST_LEVELS ? parts.join(", ") + more : length === 0 ? "" : `… ${length}`;
  return isList ? `[${inner}]` : `{${inner}}`;
}

/** dtype, shape and the first values of an array. */
export function showArray(array: NdArray): string {
  const { dtype, shape, size, width, data } = array;
  const count = Math.min(size, MOST_ITEMS);
  const first = new NdArray(dtype, [count], data.subarray(0, count * width) as typeof data, array.byteOrder);
  const values = first.toString().slice(1, -1).trim().replaceAll(/\s+/g, " ");
  return `${dtype} ${showShape(shape)}${count === 0 ? "" : `: ${values}${count < size ? " …" : ""}`}`;
}

/** A shape, as in `[2, any]`. */
export function showShape(shape: readonly (number | null)[]): string {
  return `[${shape.map((length) => length ?? "any").join(", ")}]`;
}

/** Text in quotes; what would steer a terminal is escaped. */
export function showText(text: string): string {
  const points = [...text.slice(0, 2 * MOST_TEXT)];
  const shown = points.length <= MOST_TEXT ? text : points.slice(0, MOST_TEXT).join("");
  // JSON leaves the control characters from 80 to 9f as they are.
  const quoted = JSON.stringify(shown).replaceAll(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  return shown === text ? quoted : `${quoted}… ${text.length} characters`;
}

function showBytes(bytes: Uint8Array): string {
  const hex = Array.from(bytes.subarray(0, MOST_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${bytes.length} bytes${hex === "" ? "" : `: ${hex}${bytes.length > MOST_BYTES ? " …" : ""}`}`;
}

/** The array that bytes hold if they are read as one: nothing says that they are. */
export function arrayInBytes(bytes: Uint8Array): NdArray | undefined {
  try {
    return decodeArray(bytes);
  } catch {
    return undefined;
  }
}

/** Rows of a table, in columns. */
export function showTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd());
}
