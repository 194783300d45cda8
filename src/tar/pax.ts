import { BLOCK } from "./window.ts";

/** What a pax body says about a member, as far as a reader of samples needs it. */
export interface PaxBody {
  /** Where the value of `path` lies; -1 where there is none. */
  pathStart: number;
  pathEnd: number;
  /** -1 where there is none. */
  size: number;
  /** A sparse file: its data is not what its size says. */
  sparse: boolean;
}

const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/**
 * Reads the records `<length> <key>=<value>\n` in `bytes[at..end)` into `body`; a NUL ends them. Gives what is wrong, or
 * undefined. atdata's shards have one `mtime` record before every sample, so keys are told apart by their bytes.
 */
export function readPaxBody(bytes: Uint8Array, at: number, end: number, body: PaxBody): string | undefined {
  body.pathStart = body.pathEnd = body.size = -1;
  body.sparse = false;
  let start = at;
  while (start < end && bytes[start] !== 0) {
    let length = 0;
    let i = start;
    for (; i < end && bytes[i] !== SPACE; i++) {
      const digit = bytes[i]! - 0x30;
      if (digit < 0 || digit > 9 || i - start > 9) return "a pax record without a length";
      length = length * 10 + digit;
    }
    const last = start + length - 1;
    if (last <= i || last >= end || bytes[last] !== NEWLINE) return "a pax record of a wrong length";
    const key = i + 1;
    let equals = key;
    while (equals < last && bytes[equals] !== EQUALS) equals++;
    if (equals === last) return 'a pax record without "="';
    if (isText(bytes, key, equals, "path")) {
      body.pathStart = equals + 1;
      body.pathEnd = last;
    } else if (isText(bytes, key, equals, "size")) {
      body.size = decimal(bytes, equals + 1, last);
      if (body.size < 0 && last > equals + 1) return "a pax size that is no number";
    } else if (isText(bytes, key, Math.min(equals, key + 11), "GNU.sparse.")) {
      body.sparse = true;
    }
    start = last + 1;
  }
  return undefined;
}

/** Whether `bytes[at..end)` spell an ASCII text. */
export function isText(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (end - at !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function decimal(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = at; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return end === at ? -1 : value;
}

const encoder = new TextEncoder();

/** A pax record; its length counts its own digits. */
export function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = 1 + key.length + 1 + value.length + 1;
  let length = rest + 1;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  const record = new Uint8Array(length);
  const { written } = encoder.encodeInto(`${length} ${key}=`, record);
  record.set(value, written);
  record[length - 1] = NEWLINE;
  return record;
}

/** Bodies of pax and GNU name headers are small; a larger one is damage, and would be held in memory. */
export const MAX_META_BYTES: number = 2048 * BLOCK;
