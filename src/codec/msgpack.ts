import { PipelineError } from "../errors.ts";
import { setField } from "../schema/columns.ts";
import type { Untyped } from "../schema/field.ts";
import { readText } from "./text.ts";

/** A place in bytes that are being read; reading moves `at`. */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  /** Nothing is read from here on. */
  readonly end: number;
}

/** A cursor over bytes, from `start` to `end`. */
export function cursorOver(bytes: Uint8Array, start = 0, end: number = bytes.length): Cursor {
  return { bytes, view: viewOf(bytes), at: start, end };
}

/** The same memory as a `DataView`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Deepest nesting of lists and maps: where Python's reader stops too. */
export const MAX_DEPTH = 1022;

/** What kind of value a wire byte begins. */
export type WireKind = "null" | "bool" | "int" | "float" | "string" | "bytes" | "list" | "map";

/** The kind of value that begins with this byte; undefined for extension types and 0xc1, which no sample may hold. */
export function wireKind(byte: number): WireKind | undefined {
  if (byte < 0x80 || byte >= 0xe0) return "int";
  if (byte < 0x90) return "map";
  if (byte < 0xa0) return "list";
  if (byte < 0xc0) return "string";
  return KINDS[byte - 0xc0];
}

const KINDS: readonly (WireKind | undefined)[] = [
  ...(["null", undefined, "bool", "bool", "bytes", "bytes", "bytes"] as const),
  ...([undefined, undefined, undefined, "float", "float"] as const), // c7-c9: extension types
  ...(["int", "int", "int", "int", "int", "int", "int", "int"] as const),
  ...([undefined, undefined, undefined, undefined, undefined] as const), // d4-d8: extension types
  ...(["string", "string", "string", "list", "list", "map", "map"] as const),
];

/**
 * Reads one value. Whole numbers beyond 2^53 become bigints; bytes are copied; a key that is there twice keeps its last value.
 *
 * @throws {PipelineError} `SAMPLE_CORRUPT` with the offset, for anything that is no whole msgpack value; for extension types,
 * timestamps and keys that are not text; for text that is not UTF-8; for more than {@link MAX_DEPTH} levels.
 */
export function readValue(cursor: Cursor, depth = 0): Untyped {
  const { bytes, view } = cursor;
  const kind = peekKind(cursor);
  switch (kind) {
    case "null":
      cursor.at++;
      return null;
    case "bool":
      return bytes[cursor.at++] === 0xc3;
    case "int":
      return readInt(cursor);
    case "float": {
      const at = take(cursor, bytes[cursor.at] === 0xcb ? 9 : 5);
      return bytes[at] === 0xcb ? view.getFloat64(at + 1) : view.getFloat32(at + 1);
    }
    case "string":
      return readString(cursor);
    case "bytes": {
      const length = readLength(cursor);
      const at = take(cursor, length);
      return Uint8Array.prototype.slice.call(bytes, at, at + length);
    }
  }
  const start = cursor.at;
  if (depth >= MAX_DEPTH) throw corrupt(`it is nested more than ${MAX_DEPTH} deep`, start);
  const count = readLength(cursor);
  if (kind === "list") {
    const list: Untyped[] = [];
    // Every value takes a byte at least, so a count that lies ends at the last byte; nothing is allocated for it before.
    for (let i = 0; i < count; i++) list.push(readValue(cursor, depth + 1));
    return list;
  }
  const map: Record<string, Untyped> = {};
  for (let i = 0; i < count; i++) {
    const key = readKey(cursor);
    setField(map, key, readValue(cursor, depth + 1));
  }
  return map;
}

/** The kind of the value at the cursor, which stays where it is. */
export function peekKind({ bytes, at, end }: Cursor): WireKind {
  if (at >= end) throw corrupt("it ends before its last value", at);
  const byte = bytes[at]!;
  const kind = wireKind(byte);
  if (kind !== undefined) return kind;
  const what = byte === 0xc1 ? "which msgpack never uses" : "an extension type, which samples do not hold";
  throw corrupt(`there is the byte 0x${byte.toString(16)}, ${what}`, at);
}

/** Reads a key of a map: always text. */
export function readKey(cursor: Cursor): string {
  const kind = peekKind(cursor);
  if (kind !== "string") throw corrupt(`a key of a map is of kind ${kind}, not text`, cursor.at);
  return readString(cursor);
}

/** Moves past `length` bytes and gives where they began. */
function take(cursor: Cursor, length: number): number {
  const { at, end } = cursor;
  if (length > end - at) throw corrupt(`a value needs ${length} bytes, and ${end - at} are there`, at);
  cursor.at = at + length;
  return at;
}

function readString(cursor: Cursor): string {
  const length = readLength(cursor);
  const at = take(cursor, length);
  const text = readText(cursor.bytes, at, length);
  if (text === undefined) throw corrupt("a text is not UTF-8", at);
  return text;
}

/** Reads the wire byte and the length behind it: bytes of text and bytes, values of a list, pairs of a map. */
export function readLength(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at]!;
  const size = lengthSize(byte);
  const at = take(cursor, 1 + size) + 1;
  if (size === 0) return byte & (byte < 0xa0 ? 0x0f : 0x1f);
  return size === 1 ? cursor.bytes[at]! : size === 2 ? cursor.view.getUint16(at) : cursor.view.getUint32(at);
}

/** Bytes of the length behind a wire byte of text, bytes, list or map. */
function lengthSize(byte: number): number {
  if (byte < 0xc0) return 0;
  if (byte < 0xc7) return 1 << (byte - 0xc4); // c4 c5 c6
  return byte < 0xdc ? 1 << (byte - 0xd9) : 2 << (byte & 1); // d9 da db; dc dd; de df
}

function readInt(cursor: Cursor): number | bigint {
  const { bytes, view } = cursor;
  const byte = bytes[cursor.at]!;
  if (byte < 0x80 || byte >= 0xe0) {
    cursor.at++;
    return byte < 0x80 ? byte : byte - 256;
  }
  const at = take(cursor, 1 + (1 << (byte & 3))) + 1;
  switch (byte) {
    case 0xcc:
      return bytes[at]!;
    case 0xcd:
      return view.getUint16(at);
    case 0xce:
      return view.getUint32(at);
    case 0xcf:
      return safe(view.getBigUint64(at));
    case 0xd0:
      return view.getInt8(at);
    case 0xd1:
      return view.getInt16(at);
    case 0xd2:
      return view.getInt32(at);
    default:
      return safe(view.getBigInt64(at));
  }
}

function safe(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/**
 * The offset behind the value at `at`, without reading it; -1 if there is no whole value before `end`, or one that samples do
 * not hold. Text is taken for UTF-8 unseen, unless `checkText` is set.
 */
export function skipValue(bytes: Uint8Array, view: DataView, at: number, end: number, checkText = false): number {
  const stack: number[] = []; // how many values are left in each list or map around the current one
  const keys: boolean[] = []; // whether the same are maps
  for (let left = 1, map = false; ; ) {
    while (left === 0) {
      if (stack.length === 0) return at;
      left = stack.pop()!;
      map = keys.pop()!;
    }
    if (at >= end) return -1;
    const byte = bytes[at]!;
    const kind = wireKind(byte);
    // In a map, an even number of values is left when a key is next.
    if (kind === undefined || (map && left % 2 === 0 && kind !== "string")) return -1;
    left--;
    if (kind === "null" || kind === "bool") {
      at++;
    } else if (kind === "int") {
      at += byte < 0x80 || byte >= 0xe0 ? 1 : 1 + (1 << (byte & 3));
    } else if (kind === "float") {
      at += byte === 0xcb ? 9 : 5;
    } else {
      const size = lengthSize(byte);
      if (size >= end - at) return -1;
      const length = size === 0 ? byte & (byte < 0xa0 ? 0x0f : 0x1f) : lengthAt(view, at + 1, size);
      at += 1 + size;
      if (kind === "string" || kind === "bytes") {
        if (length > end - at || (checkText && kind === "string" && !isUtf8(bytes, at, at + length))) return -1;
        at += length;
      } else {
        if (stack.length >= MAX_DEPTH || length > end - at) return -1;
        stack.push(left);
        keys.push(map);
        map = kind === "map";
        left = map ? 2 * length : length;
      }
    }
    if (at > end) return -1;
  }
}

const lengthAt = (view: DataView, at: number, size: number): number =>
  size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at);

/** Whether bytes are UTF-8 as Unicode has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
function isUtf8(bytes: Uint8Array, at: number, end: number): boolean {
  while (at < end) {
    const lead = bytes[at++]!;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const rest = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (rest > end - at) return false;
    const next = bytes[at]!;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (next < low || next > high) return false;
    for (let i = 1; i < rest; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return false;
    at += rest;
  }
  return true;
}

/** The fault of a sample, at an offset of the bytes that were read. */
export function corrupt(problem: string, offset: number): PipelineError {
  return new PipelineError("SAMPLE_CORRUPT", `Cannot read a sample: ${problem} (byte ${offset})`, {
    offset,
    hint: 'write the shard again, or leave such samples out with onError: { sample: "skip" }',
  });
}
