import { PipelineError } from "../errors.ts";
import { parseDtype } from "../schema/dtype.ts";
import type { ArrayHeader } from "./array.ts";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** Longest header that numpy reads without being asked twice. */
const MAX_HEADER = 10_000;

/** Whether the bytes begin as a `.npy` file. No array in atdata's own format does: it would need a dtype of 147 letters. */
export function isNpy(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= MAGIC.length && MAGIC.every((byte, i) => bytes[start + i] === byte);
}

/**
 * The header of a `.npy` file of version 1, 2 or 3. Its text is a Python dict; only the three keys and plain values that numpy
 * writes are understood, and nothing is evaluated.
 *
 * @throws {PipelineError} `ARRAY_CORRUPT` for any other.
 */
export function npyHeader(bytes: Uint8Array, start: number, end: number): Omit<ArrayHeader, "dataLength"> {
  const [major, minor] = [bytes[start + 6], bytes[start + 7]];
  if (major === undefined || end - start < 10) throw corrupt(`it ends in its header, after ${end - start} bytes`);
  if (major < 1 || major > 3 || minor !== 0)
    throw corrupt(`its version is ${major}.${minor}, and 1.0, 2.0 and 3.0 are known`);
  const lengthBytes = major === 1 ? 2 : 4;
  const textStart = start + 8 + lengthBytes;
  if (textStart > end) throw corrupt(`it ends in its header, after ${end - start} bytes`);
  let length = 0;
  for (let i = lengthBytes - 1; i >= 0; i--) length = length * 256 + bytes[start + 8 + i]!;
  if (length > end - textStart) throw corrupt(`its header needs ${length} bytes, and ${end - textStart} are there`);
  if (length > MAX_HEADER) throw corrupt(`its header has ${length} bytes, more than ${MAX_HEADER}`);
  // Version 3 is UTF-8, the others are Latin-1; all that is accepted is ASCII in both.
  const text = String.fromCharCode(...bytes.subarray(textStart, textStart + length));
  return { ...parseHeader(text), dataStart: textStart + length };
}

const ENTRY = /\s*(['"])(\w+)\1\s*:\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|\(([\d\s,L]*)\))\s*(?:,|(?=\}))/y;

function parseHeader(text: string): Omit<ArrayHeader, "dataLength" | "dataStart"> {
  const dict = text.trim();
  const found = new Map<string, RegExpExecArray>();
  if (!dict.startsWith("{")) throw badHeader(text);
  ENTRY.lastIndex = 1;
  for (let at = 1; ; at = ENTRY.lastIndex) {
    if (/^\s*\}$/.test(dict.slice(at))) break;
    ENTRY.lastIndex = at;
    const entry = ENTRY.exec(dict);
    if (entry === null) throw /'descr'\s*:\s*\[/.test(dict) ? structured() : badHeader(text);
    found.set(entry[2]!, entry);
  }
  const descr = found.get("descr")?.[3] ?? found.get("descr")?.[4];
  const fortran = found.get("fortran_order")?.[5];
  const shape = found.get("shape")?.[6];
  if (found.size !== 3 || descr === undefined || fortran === undefined || shape === undefined) throw badHeader(text);
  return { ...parseDtype(descr), fortranOrder: fortran === "True", shape: parseShape(shape, text) };
}

/** `2, 3`, or `2,` for one axis; Python 2 wrote `2L`. */
function parseShape(tuple: string, text: string): number[] {
  const lengths = tuple.trim();
  if (lengths === "") return [];
  if (!/^(\d+L?\s*,\s*)+(\d+L?)?$/.test(lengths)) throw badHeader(text);
  const shape = lengths
    .split(",")
    .filter((length) => length.trim() !== "")
    .map((length) => Number.parseInt(length, 10));
  if (shape.length > 64) throw corrupt(`it has ${shape.length} axes, more than 64`);
  if (!shape.every(Number.isSafeInteger)) throw corrupt("it has an axis longer than 2^53");
  return shape;
}

function badHeader(text: string): PipelineError {
  const shown = JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text.trim());
  return corrupt(`its header must be a dict of descr, fortran_order and shape, not ${shown}`);
}

function structured(): PipelineError {
  return corrupt("its items are structures of named fields", "read the field as bytes");
}

function corrupt(
  problem: string,
  hint = "the file is damaged, or not written by numpy: write it again with numpy.save",
): PipelineError {
  return new PipelineError("ARRAY_CORRUPT", `Cannot read a .npy array: ${problem}`, { hint });
}
