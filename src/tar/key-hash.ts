import { encodeName } from "./keys.ts";

/**
 * 48 bits of a hash of a key's bytes, as a number. Equal everywhere and for ever: it stands in indexes. (Two multiplicative
 * hashes that are mixed into one another at the end, as in cyrb53.)
 */
export function keyHash(bytes: DataView, start: number, end: number): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = start; i < end; i++) {
    const byte = bytes.getUint8(i);
    a = Math.imul(a ^ byte, 0x9e3779b1);
    b = Math.imul(b ^ byte, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (b & 0xffff) * 2 ** 32 + (a >>> 0);
}

/** The hash of a key as text. */
export function hashOfKey(key: string): number {
  const bytes = encodeName(key);
  return keyHash(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
}
