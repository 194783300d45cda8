import type { PipelineErrorCode } from "../errors.ts";
import { isPlainObject, ownValue } from "../schema/plain.ts";
import type { SchemaRecord } from "../schema/record.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { type Canonical, type CanonicalSample, canonicalOfValue, canonicalOfWhole } from "./canonical.ts";
import { DictSample } from "./dict-sample.ts";
import { sampleFromCanonical, valueFromCanonical } from "./from-canonical.ts";

/** What failed, and where. */
export interface QuarantineHead {
  readonly version: 1;
  /** What was spoiled: one sample, a shard from `index` on, or the rest of a dataset. */
  readonly scope: "sample" | "shard" | "source";
  readonly error: { readonly code: PipelineErrorCode; readonly message: string; readonly hint?: string };
  /** Name of the stage that failed, and its place in the plan, from 0. */
  readonly stage?: string;
  readonly at?: number;
  /** Origin of the sample; of a shard `index` is the first sample that was not read. */
  readonly shard?: string;
  readonly index?: number;
  readonly key?: string;
  readonly part?: number;
  /** Outputs of the sample that a `flatMap` had handed on before it failed. */
  readonly given?: number;
  /** Name of the dataset, of scope `source`. */
  readonly source?: string;
}

/** What a line keeps of its sample; nothing where JSON has no form for it. */
export interface KeptSample {
  /** As it is stored: the bytes of each file, in base64, by extension. */
  readonly parts?: readonly (readonly [extension: string, base64: string])[];
  /** In canonical JSON, where it comes from no shard. */
  readonly value?: Canonical | CanonicalSample;
}

/** One line of a quarantine: all that is needed to run what failed again. */
export interface QuarantineLine extends QuarantineHead, KeptSample {
  /** The type of the samples, where it is known. */
  readonly schema?: SchemaRecord;
}

/** The text of a line. `schema` is text already; and base64 needs no look for what JSON would escape: half of the time. */
export function quarantineText(head: QuarantineHead, schema: string | undefined, { parts, value }: KeptSample): string {
  let text = JSON.stringify(head).slice(0, -1);
  if (schema !== undefined) text += `,"schema":${schema}`;
  if (value !== undefined) text += `,"value":${JSON.stringify(value)}`;
  if (parts === undefined) return `${text}}`;
  return `${text},"parts":[${parts.map(([extension, base64]) => `[${JSON.stringify(extension)},"${base64}"]`).join()}]}`;
}

/** What to keep of a sample that is encoded. */
export const keptBytes = (bytes: Uint8Array, extension = "msgpack"): KeptSample => ({
  parts: [[extension, toBase64(bytes)]],
});

/** What to keep of a sample that is not: its files, or its value. */
export function keptValue(value: unknown, type: AnySampleType | undefined): KeptSample {
  if (value instanceof DictSample) return keptBytes(value.bytes);
  if (typeof value === "object" && value !== null && "parts" in value && value.parts instanceof Map) {
    const parts = value.parts as ReadonlyMap<string, Uint8Array>;
    return { parts: Array.from(parts, ([extension, bytes]) => [extension, toBase64(bytes)] as const) };
  }
  const spelled = (type && canonicalOfWhole(type, value)) ?? canonicalOfValue(value);
  return spelled === undefined ? {} : { value: spelled };
}

/** The files of the sample of a line; undefined where there are none. */
export function partsOfLine({ parts }: QuarantineLine): ReadonlyMap<string, Uint8Array> | undefined {
  return parts && new Map(parts.map(([extension, base64]) => [extension, fromBase64(base64)]));
}

/** The value of a line. */
export function valueOfLine({ value }: QuarantineLine, type: AnySampleType | undefined): unknown {
  // What was no sample of its type was spelled without it.
  const isTyped = type !== undefined && isPlainObject(value) && !Object.hasOwn(value, "$map");
  return isTyped ? sampleFromCanonical(type, value) : valueFromCanonical(value);
}

/** A line from its text; undefined if it is none, as where a disk was full. */
export function parseQuarantineLine(text: string): QuarantineLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    if (!isPlainObject(line) || ownValue(line, "version") !== 1) return undefined;
    return ["sample", "shard", "source"].includes(line.scope as string)
      ? (line as unknown as QuarantineLine)
      : undefined;
  } catch {
    return undefined;
  }
}
