import { PipelineError } from "../errors.ts";
import { setField } from "../schema/columns.ts";
import type { NdArray } from "../schema/ndarray.ts";
import { decodeArray } from "./array.ts";
import { inflate } from "./inflate.ts";
import { parseJson } from "./json.ts";
import { cursorOver, readValue } from "./msgpack.ts";
import { readText } from "./text.ts";
import { unzip } from "./zip.ts";

type PartDecoder = (bytes: Uint8Array, extension: string) => unknown;

const decoders = new Map<string, PartDecoder>();
for (const name of ["txt", "text", "transcript"]) decoders.set(name, textOf);
for (const name of ["cls", "cls2", "class", "count", "index", "inx", "id"]) decoders.set(name, integerOf);
for (const name of ["json", "jsn"]) decoders.set(name, jsonOf);
for (const name of ["mp", "msg"]) decoders.set(name, (bytes) => readValue(cursorOver(bytes)));
decoders.set("npy", (bytes) => decodeArray(bytes));
decoders.set("npz", arraysOf);

/**
 * A part of a classic sample, a file beside others of the same key, decoded by its extension as webdataset does by default.
 * Only what stands behind the last dot counts (`seg.png` is a `png`); with `.gz` the part is unpacked first.
 *
 * | extension | value |
 * | --- | --- |
 * | `txt` `text` `transcript` | text |
 * | `cls` `cls2` `class` `count` `index` `inx` `id` | whole number; a bigint beyond 2^53 |
 * | `json` `jsn` | JSON; whole numbers beyond 2^53 are bigints |
 * | `mp` `msg` | msgpack |
 * | `npy` / `npz` | an NdArray / arrays by name |
 * | all else | the bytes: images, `msgpack` (atdata's own), and `pyd` and `pickle`, which are code |
 *
 * @returns The value; a promise of it for `npz` and `.gz`.
 * @throws {PipelineError} `SAMPLE_CORRUPT` or `ARRAY_CORRUPT` if the bytes are not what the extension says.
 * @example
 * ```ts
 * await decodePart("cls", new TextEncoder().encode("7")); // 7
 * ```
 */
export function decodePart(extension: string, bytes: Uint8Array): unknown {
  const [last, ...before] = extension.toLowerCase().split(".").reverse();
  if (last === "gz")
    return inflate(bytes, "gzip").then((unpacked) => decodePart(before.toReversed().join("."), unpacked));
  return decoders.get(last!)?.(bytes, extension) ?? bytes;
}

function textOf(bytes: Uint8Array, extension: string): string {
  const text = readText(bytes, 0, bytes.length);
  if (text === undefined) throw wrongPart(extension, "it is not UTF-8");
  return text;
}

/** Python's `int()`: spaces around, a sign, and underscores between digits. */
function integerOf(bytes: Uint8Array, extension: string): number | bigint {
  const text = textOf(bytes, extension).trim();
  if (!/^[+-]?\d+(_\d+)*$/.test(text))
    throw wrongPart(extension, `${JSON.stringify(text.slice(0, 40))} is no whole number`);
  return wholeNumber(text.replaceAll("_", ""));
}

function wholeNumber(digits: string): number | bigint {
  const number = Number(digits);
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number; // "-0" is 0 in Python
  return BigInt(digits.replace("+", ""));
}

function jsonOf(bytes: Uint8Array, extension: string): unknown {
  const text = textOf(bytes, extension).replace(/^\uFEFF/, "");
  try {
    return parseJson(text);
  } catch (cause) {
    throw wrongPart(extension, (cause as Error).message, { cause });
  }
}

/** The arrays of a `.npz`: a ZIP of `.npy` files. */
async function arraysOf(bytes: Uint8Array): Promise<Record<string, NdArray>> {
  const arrays: Record<string, NdArray> = {};
  for (const [name, file] of await unzip(bytes)) setField(arrays, name.replace(/\.npy$/, ""), decodeArray(file));
  return arrays;
}

function wrongPart(extension: string, problem: string, facts: { cause?: unknown } = {}): PipelineError {
  return new PipelineError("SAMPLE_CORRUPT", `Cannot decode a part ".${extension}": ${problem}`, {
    hint: "read the samples without decoding their parts",
    ...facts,
  });
}
