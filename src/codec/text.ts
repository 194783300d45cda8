import { canCompile, compile } from "./compile.ts";

// A leading U+FEFF is part of the text, and bytes that are not UTF-8 are an error, as in Python.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Longest text that is made without a `TextDecoder`: below it, its call costs more than the characters. */
const SHORT = 32;

const units = new Uint16Array(SHORT);

/** UTF-16 of short text, in {@link units}; how much there is, or -1 when the bytes need a closer look. */
function decodeShort(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; ) {
    const a = bytes[i++]!;
    if (a < 0x80) {
      units[count++] = a;
    } else if (a >= 0xc2 && a < 0xe0 && i < end) {
      const b = bytes[i++]!;
      if ((b & 0xc0) !== 0x80) return -1;
      units[count++] = ((a & 0x1f) << 6) | (b & 0x3f);
    } else {
      return -1;
    }
  }
  return count;
}

/**
 * Text of so many code units: one call with each of them as an argument, half the time of a loop or of `apply`. `ascii` gives
 * up, with undefined, on bytes beyond ASCII.
 */
function unrolled(
  ascii: boolean,
): (units: Uint8Array | Uint16Array, start: number, count: number) => string | undefined {
  const cases = Array.from({ length: SHORT }, (_, i) => {
    const at = Array.from({ length: i + 1 }, (_, k) => `u[p + ${k}]`);
    const text = `char(${at.join(", ")})`;
    return `case ${i + 1}: ${ascii ? `return (${at.join(" | ")}) < 128 ? ${text} : undefined;` : `return ${text};`}`;
  });
  return compile(`return function text(u, p, n) { switch (n) { case 0: return ""; ${cases.join("\n")} } };`, {
    char: String.fromCharCode,
  });
}

const looped = (from: Uint8Array | Uint16Array, start: number, count: number): string | undefined =>
  String.fromCharCode.apply(undefined, from.subarray(start, start + count) as unknown as number[]);

const textOfUnits = canCompile ? unrolled(false) : looped;
const textOfAscii = canCompile ? unrolled(true) : () => undefined;

/** Text from `length` bytes of UTF-8; undefined when they are not UTF-8. */
export function readText(bytes: Uint8Array, start: number, length: number): string | undefined {
  if (length <= SHORT) {
    const ascii = textOfAscii(bytes, start, length);
    if (ascii !== undefined) return ascii;
    const count = decodeShort(bytes, start, start + length);
    if (count >= 0) return textOfUnits(units, 0, count);
  }
  try {
    return decoder.decode(bytes.subarray(start, start + length));
  } catch {
    return undefined;
  }
}
