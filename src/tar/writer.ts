import { PipelineError } from "../errors.ts";
import { FIELD, paddedSize } from "./header.ts";
import { paxRecord } from "./pax.ts";
import { BLOCK } from "./window.ts";

export { paddedSize } from "./header.ts";

/** Zero bytes that close a shard: two blocks. GNU tar then fills with zeros to a multiple of 10,240. */
export const END_BLOCKS: number = 2 * BLOCK;

const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const SLASH = 0x2f;
const PAX_NAME: Uint8Array = new TextEncoder().encode("././@PaxHeader");
const MAX_OCTAL_SIZE = 8 ** 11 - 1;

/** A header without name, size and checksum. No clock and no user is in it, so equal samples make equal shards. */
const BLANK: Uint8Array = blankHeader();
const BLANK_SUM: number = BLANK.reduce((sum, byte) => sum + byte, 8 * 0x20);

/**
 * Bytes of the header of a member: 512, or 1,024 more where its name fits neither the name nor the prefix field and goes
 * to a pax `path` record (which may itself take more than one block).
 */
export function headerSize(name: Uint8Array): number {
  return fitsHeader(name) ? BLOCK : 2 * BLOCK + paddedSize(paxRecord("path", name).length);
}

/**
 * Puts the header of a member of `size` bytes at `into[at..at + headerSize(name))`. The same name and size always make
 * the same bytes: mtime 0, mode 0444, user and group 0.
 *
 * @example A sample encoded right behind its header
 * ```ts
 * const name = new TextEncoder().encode("000000.msgpack");
 * const data = headerSize(name);
 * window.set(payload, data);
 * putHeader(window, 0, name, payload.length);
 * window.fill(0, data + payload.length, data + paddedSize(payload.length));
 * ```
 */
export function putHeader(into: Uint8Array, at: number, name: Uint8Array, size: number): void {
  if (fitsHeader(name)) {
    const split = name.length <= NAME_BYTES ? -1 : prefixLength(name);
    putBlock(into, at, name, split, size, 0x30);
    return;
  }
  const record = paxRecord("path", name);
  const body = paddedSize(record.length);
  putBlock(into, at, PAX_NAME, -1, record.length, 0x78);
  into.set(record, at + BLOCK);
  into.fill(0, at + BLOCK + record.length, at + BLOCK + body);
  // What a reader without pax sees.
  const short = name.subarray(0, NAME_BYTES).map((byte) => (byte < 0x80 ? byte : 0x3f));
  putBlock(into, at + BLOCK + body, short, -1, size, 0x30);
}

/** Puts one header. The first `split` bytes of the name go to the prefix field, and the slash after them nowhere. */
function putBlock(into: Uint8Array, at: number, name: Uint8Array, split: number, size: number, type: number): void {
  into.set(BLANK, at);
  into[at + FIELD.type] = type;
  let sum = BLANK_SUM + type;
  for (let i = 0, to = at + FIELD.prefix; i < split; i++) sum += put(into, to + i, name[i]!);
  for (let i = split + 1, to = at; i < name.length; i++, to++) sum += put(into, to, name[i]!);
  sum += putSize(into, at + FIELD.size, size);
  putOctal(into, at + FIELD.checksum, 6, sum);
  into[at + FIELD.checksum + 7] = 0x20;
}

/** Puts a size, in base-256 where eleven octal digits do not hold it. This and what follows give the sum of their bytes. */
function putSize(into: Uint8Array, at: number, size: number): number {
  if (size <= MAX_OCTAL_SIZE) return putOctal(into, at, 11, size);
  let sum = put(into, at, 0x80);
  for (let i = at + 11, rest = size; i > at; i--, rest = Math.floor(rest / 256)) sum += put(into, i, rest % 256);
  return sum;
}

function putOctal(into: Uint8Array, at: number, digits: number, value: number): number {
  let sum = 0;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    sum += put(into, i, 0x30 + (rest % 8));
    rest = Math.floor(rest / 8);
  }
  return sum;
}

function put(into: Uint8Array, at: number, byte: number): number {
  into[at] = byte;
  return byte;
}

function fitsHeader(name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (name[i]! >= 0x80) return false;
  return name.length <= NAME_BYTES || prefixLength(name) > 0;
}

/** Where a long name splits at a slash so that both halves fit; 0 if nowhere. */
function prefixLength(name: Uint8Array): number {
  if (name.length > PREFIX_BYTES + 1 + NAME_BYTES) return 0;
  const slash = name.lastIndexOf(SLASH, PREFIX_BYTES);
  return slash > 0 && name.length - slash - 1 <= NAME_BYTES && slash < name.length - 1 ? slash : 0;
}

function blankHeader(): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const text = (at: number, value: string): void => header.set(new TextEncoder().encode(value), at);
  text(100, "0000444\0" + "0000000\0" + "0000000\0"); // mode, user, group
  text(136, "00000000000\0"); // mtime
  text(FIELD.magic, "ustar\0" + "00");
  text(329, "0000000\0" + "0000000\0"); // device
  return header;
}

/**
 * Checks that a key can name a sample inside a shard: that reading it back gives the same key.
 *
 * @throws {PipelineError} `KEY_INVALID`
 */
export function checkKey(key: string, previous?: string): void {
  const what = keyProblem(key, previous);
  if (what === undefined) return;
  const shown = JSON.stringify(key);
  const hint = what[1];
  throw new PipelineError("KEY_INVALID", `Cannot write a sample as ${shown}: ${what[0]}`, { key, hint });
}

const KEEP_APART = "give neighbouring samples keys of their own";

function keyProblem(key: string, previous: string | undefined): readonly [what: string, hint: string] | undefined {
  if (key === "") return ["the key is empty", "give every sample a key, or let keys be made"];
  if (key === previous) return ["the sample before it has the same key", KEEP_APART];
  if (!key.isWellFormed()) return ["the key is not well-formed Unicode", "take lone surrogates out of it"];
  if (key.includes("\0")) return ["the key holds a NUL", "take it out"];
  if (key.startsWith("/") || /(^|\/)\.\.(\/|$)/.test(key))
    return ["the key leaves its folder", 'use keys without ".." and a leading "/"'];
  if (key.slice(key.lastIndexOf("/") + 1).includes("."))
    return ["a dot begins the file extension", "use another character for the dots"];
  if (key.endsWith("/")) return ["the key ends with a slash", "give the file a name"];
  if (/^__[^/]*__\//.test(key))
    return ["readers take names in __…__ for metadata", "use another name for the first folder"];
  return undefined;
}
