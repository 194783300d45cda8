import { type CanonicalSample, canonicalOfDictSample, canonicalOfSample } from "../codec/canonical.ts";
import {
  type Dataset,
  type DictSample,
  dataset,
  decodeParts,
  type RawSample,
  rawSamples,
  type SampleType,
} from "../index.ts";
import type { ReadOptions } from "./arguments.ts";
import { canonicalOfBytes, canonicalOfFiles } from "./spell-files.ts";

/** A field of a sample, for people. */
export interface ShownField {
  readonly name: string;
  readonly value: unknown;
  /** Written as a float: 1 is then 1.0. */
  readonly isFloat: boolean;
}

/** Samples in the forms that commands show them. */
export interface SampleForms {
  /** As lists of fields. Each method takes at most `limit` samples. */
  fields(limit?: number): Dataset<readonly ShownField[]>;
  /** In canonical JSON. */
  canonical(limit?: number): Dataset<CanonicalSample>;
}

/** The samples of a dataset. */
export interface Samples extends SampleForms {
  /** Whether a sample is its msgpack file, or all files of its key. */
  readonly members: "msgpack" | "files";
  readonly type: AnyType | undefined;
}

type AnyType = SampleType<Record<string, unknown>>;

/** Opens a dataset; what a sample is, is told by the options, or by the first sample. */
export async function openSamples(pattern: string, options: ReadOptions, type: AnyType | undefined): Promise<Samples> {
  const members = options.members === "auto" ? await membersOf(pattern, options) : options.members;
  const { endMarker } = options;
  if (members === "files") return { members, type, ...filesOf(rawSamples(pattern, { endMarker }), type) };
  if (type === undefined) return { members, type, ...untyped(dataset(pattern, { endMarker })) };
  return { members, type, ...typed(dataset(pattern, type, { endMarker }), type) };
}

/** The files of samples as bytes, whatever they hold. */
export function openFiles(pattern: string, { endMarker }: ReadOptions): SampleForms {
  const stored = rawSamples(pattern, { endMarker });
  return {
    fields: (limit) => limited(stored, limit).map(({ parts }) => shownFields(parts)),
    canonical: (limit) => limited(stored, limit).map(({ parts }) => canonicalOfBytes(parts)),
  };
}

function filesOf(stored: Dataset<RawSample>, type: AnyType | undefined): SampleForms {
  const decode = async (sample: RawSample): Promise<Record<string, unknown>> => {
    const decoded = await decodeParts(sample);
    return type === undefined ? decoded : type.parse(decoded);
  };
  return {
    fields: (limit) => limited(stored, limit).map(async (sample) => shownFields(Object.entries(await decode(sample)))),
    canonical: (limit) => limited(stored, limit).map(({ parts }) => canonicalOfFiles(parts)),
  };
}

function typed(samples: Dataset<Record<string, unknown>>, type: AnyType): SampleForms {
  const floats = new Set(type.fields.filter(({ spec }) => spec.kind === "float").map(({ name }) => name));
  const shown = (sample: Record<string, unknown>) =>
    shownFields(
      type.fields.map(({ name }) => [name, sample[name]]),
      floats,
    );
  return {
    fields: (limit) => limited(samples, limit).map(shown),
    canonical: (limit) => limited(samples, limit).map((sample) => canonicalOfSample(type, sample)),
  };
}

function untyped(samples: Dataset<DictSample>): SampleForms {
  return {
    fields: (limit) => limited(samples, limit).map((sample) => shownFields(sample, floatsOf(sample))),
    canonical: (limit) => limited(samples, limit).map(canonicalOfDictSample),
  };
}

/** A dataset of atdata's kind has a msgpack file in every sample, so also in the first. */
export async function membersOf(pattern: string, { endMarker }: ReadOptions): Promise<"msgpack" | "files"> {
  const [value] = await rawSamples(pattern, { endMarker }).take(1).toArray({ onError: "skip" });
  return value === undefined || value.parts.has("msgpack") ? "msgpack" : "files";
}

function limited<T>(samples: Dataset<T>, limit: number | undefined): Dataset<T> {
  return limit === undefined ? samples : samples.take(limit);
}

function shownFields(
  fields: Iterable<readonly [string, unknown]>,
  floats: ReadonlySet<string> = new Set(),
): ShownField[] {
  return Array.from(fields, ([name, value]) => ({ name, value, isFloat: floats.has(name) }));
}

function floatsOf(sample: DictSample): Set<string> {
  return new Set([...sample.keys()].filter((name) => sample.kindOf(name) === "float"));
}
