import { type Canonical, type CanonicalSample, canonicalOfMsgpack, canonicalOfSample } from "../codec/canonical.ts";
import { inflate } from "../codec/inflate.ts";
import { decodePart, NdArray } from "../index.ts";
import type { FieldSpec } from "../schema/field.ts";
import { floatRepr } from "../schema/float-repr.ts";

type Files = ReadonlyMap<string, Uint8Array>;

/** The files of a sample in canonical JSON, as they are. */
export function canonicalOfBytes(files: Files): Promise<CanonicalSample> {
  return spell(Array.from(files, ([name, value]) => [name, { kind: "bytes" }, value]));
}

/** The files of a sample in canonical JSON, each decoded by its extension. */
export async function canonicalOfFiles(files: Files): Promise<CanonicalSample> {
  const fields = Array.from(
    files,
    async ([extension, bytes]) => [extension, await canonicalOfFile(extension, bytes)] as const,
  );
  return Object.fromEntries(await Promise.all(fields));
}

/** In JSON and msgpack 1 and 1.0 are two values: these are spelled from their text and bytes, not from what JavaScript reads. */
async function canonicalOfFile(extension: string, bytes: Uint8Array): Promise<Canonical> {
  const [last = "", ...before] = extension.toLowerCase().split(".").reverse();
  if (last === "gz") return canonicalOfFile(before.toReversed().join("."), await inflate(bytes, "gzip"));
  const value = sortedArrays(await decodePart(last, bytes));
  if (last === "json" || last === "jsn") return JSON.parse(new TextDecoder().decode(bytes), spellJson);
  if (last === "mp" || last === "msg") return canonicalOfMsgpack(bytes);
  const { value: spelled } = await spell([["value", specOf(value), value]]);
  return spelled!;
}

/** A reviver: the values inside of a list or object are spelled before it. */
function spellJson(_key: string, value: unknown, context?: { readonly source?: string }): Canonical {
  if (typeof value === "number") {
    const source = context?.source ?? String(value);
    if (/^-?\d+$/.test(source)) return { $int: String(BigInt(source)) };
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, value);
    return { $float: bits.getBigUint64(0).toString(16).padStart(16, "0"), repr: floatRepr(value) };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return { $map: Object.entries(value as Record<string, Canonical>) };
  }
  return value as Canonical;
}

/** The arrays of a `.npz` have no order of their own: they are spelled by name. */
function sortedArrays(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function specOf(value: unknown): FieldSpec {
  if (value instanceof NdArray) return { kind: "ndarray" };
  if (typeof value === "string") return { kind: "string" };
  if (typeof value === "number" || typeof value === "bigint") return { kind: "int", mode: "auto" };
  return value instanceof Uint8Array ? { kind: "bytes" } : { kind: "dict", values: { kind: "ndarray" } };
}

function spell(
  fields: readonly (readonly [name: string, spec: FieldSpec, value: unknown])[],
): Promise<CanonicalSample> {
  const type = { fields: fields.map(([name, spec]) => ({ name, spec, optional: false })) };
  return canonicalOfSample(type, Object.fromEntries(fields.map(([name, , value]) => [name, value])));
}
