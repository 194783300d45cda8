import { readText } from "../codec/text.ts";

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Keys of samples: UTF-8 bytes and offsets, made into strings on demand. Key `i` is `bytes[offsets[i]..offsets[i + 1])`. */
export class SampleKeys {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;

  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.bytes = bytes;
    this.offsets = offsets;
  }

  get length(): number {
    return this.offsets.length - 1;
  }

  /** Key `i`. A byte that is no UTF-8 is the lone surrogate U+DC00 + byte, as in Python. */
  at(i: number): string {
    return decodeName(this.bytes, this.offsets[i]!, this.offsets[i + 1]!);
  }
}

/** A name in a tar as text. A byte that is no UTF-8 is the lone surrogate U+DC00 + byte, as Python's surrogateescape. */
export function decodeName(bytes: Uint8Array, start: number, end: number): string {
  return readText(bytes, start, end - start) ?? decodeEscaped(bytes, start, end);
}

/** The bytes of a name that {@link decodeName} gave. */
export function encodeName(name: string): Uint8Array {
  if (name.isWellFormed()) return encoder.encode(name);
  const bytes: number[] = [];
  for (const char of name) {
    const unit = char.charCodeAt(0);
    if (char.length === 1 && unit >= 0xdc80 && unit <= 0xdcff) bytes.push(unit - 0xdc00);
    else bytes.push(...encoder.encode(char));
  }
  return Uint8Array.from(bytes);
}

function decodeEscaped(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let i = start;
  while (i < end) {
    const first = bytes[i]!;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    try {
      text += strict.decode(bytes.subarray(i, Math.min(i + length, end)));
      i += length;
    } catch {
      text += String.fromCharCode(0xdc00 + first);
      i++;
    }
  }
  return text;
}
