import type { PipelineError, PipelineErrorCode } from "../errors.ts";
import { isPlainObject, ownValue } from "../schema/plain.ts";
import type { SchemaRecord } from "../schema/record.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { type Canonical, canonicalOfValue, canonicalOfWhole } from "./canonical.ts";
import { DictSample } from "./dict-sample.ts";
import { sampleFromCanonical, valueFromCanonical } from "./from-canonical.ts";

/** One line of a quarantine: what failed, where, and all that is needed to run it again. */
export interface QuarantineLine {
  readonly version: 1;
  /** What was spoiled: one sample, a shard from `index` on, or the rest of a dataset. */
  readonly scope: "sample" | "shard" | "source";
  readonly error: { readonly code: PipelineErrorCode; readonly message: string; readonly hint?: string | undefined };
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
  /** The type of the samples, where it is known. */
  readonly schema?: SchemaRecord;
  /** The sample as it is stored: the bytes of each file, in base64, by extension. */
  readonly parts?: readonly (readonly [extension: string, base64: string])[];
  /** The sample, where it comes from no shard, in canonical JSON. */
  readonly value?: Canonical | Readonly<Record<string, Canonical>>;
}

/** Code, message and hint of an error. */
export const quarantinedError = ({ code, message, hint }: PipelineError): QuarantineLine["error"] => ({
  code,
  message,
  ...(hint !== undefined && { hint }),
});

/** What a line keeps of a sample that was encoded. */
export const quarantinedBytes = (bytes: Uint8Array, extension = "msgpack"): Pick<QuarantineLine, "parts"> => ({
  parts: [[extension, toBase64(bytes)]],
});

/** What a line keeps of a sample that was not encoded: its files, its value, or nothing where JSON has no form for it. */
export function quarantinedValue(
  value: unknown,
  type: AnySampleType | undefined,
): Pick<QuarantineLine, "parts" | "value"> {
  if (value instanceof DictSample) return quarantinedBytes(value.bytes);
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
