type Native = {
  Buffer?: { from(memory: ArrayBufferLike, start: number, length: number): { toString(as: "base64"): string } };
};
const native = (globalThis as Native).Buffer;

/** Base64 with padding, as Python's `b64encode`. */
export function toBase64(bytes: Uint8Array): string {
  if (native !== undefined) return native.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  let text = "";
  // String.fromCharCode takes its characters from the stack, so only some at a time.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/** The bytes that base64 stands for. @throws {DOMException} If it is none. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
