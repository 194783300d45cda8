import { readFileSync } from "node:fs";
import { numpySpelling } from "../../src/schema/dtype.ts";
import type { NdArray } from "../../src/schema/ndarray.ts";

/** A JSON value of the fixtures. */
// biome-ignore lint/suspicious/noExplicitAny: the shapes of the fixtures are theirs
export type Json = any;

const ROOT = new URL("../fixtures/atdata/", import.meta.url);

export const readJson = (path: string): Json => JSON.parse(readFileSync(new URL(path, ROOT), "utf8"));
export const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
export const fromHex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The msgpack bytes of each sample of a shard; long ones are cut out of it by the offsets that Python's tarfile found. */
export function payloads(folder: string, shard: Json): Uint8Array[] {
  const bytes = new Uint8Array(readFileSync(new URL(`${folder}/${shard.file}`, ROOT)));
  return shard.payloads.map(({ key, base64 }: Json) => {
    if (base64 !== undefined) return fromBase64(base64);
    const { offset_data, size } = shard.members.find(({ name }: Json) => name === `${key}.msgpack`);
    return bytes.slice(offset_data, offset_data + size);
  });
}

/** The members of one shard of the `corrupt` folder; its listing has no offsets. */
export function corruptPayload(file: string, key = "001"): Uint8Array {
  const bytes = new Uint8Array(readFileSync(new URL(`corrupt/${file}`, ROOT)));
  const text = (from: number, length: number): string =>
    String.fromCharCode(...bytes.subarray(from, from + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= bytes.length; ) {
    const size = Number.parseInt(text(at + 124, 12), 8) || 0;
    if (text(at, 100).startsWith(key) && text(at + 156, 1) !== "x") return bytes.slice(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`no member ${key} in ${file}`);
}

/** The canonical form of an array, spelled here on its own. */
export function canonicalArray({ dtype, byteOrder, shape, data }: NdArray, unit: number): Json {
  const bytes = new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  if (byteOrder === ">") for (let at = 0; at < bytes.length; at += unit) bytes.subarray(at, at + unit).reverse();
  return {
    dtype: numpySpelling(dtype, byteOrder),
    shape: [...shape],
    data: btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")),
  };
}
