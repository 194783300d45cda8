import { type CanonicalSample, canonicalOfDictSample, canonicalOfSample } from "../../src/codec/canonical.ts";
import {
  type Dataset,
  type DatasetOptions,
  dataset,
  PipelineError,
  type RawSample,
  rawSamples,
  sampleTypeOf,
} from "../../src/index.ts";

/** What came out of a pass over a shard. */
export interface Outcome<S> {
  readonly samples: readonly S[];
  readonly keys: readonly string[];
  /** What ended the pass. */
  readonly error?: PipelineError;
  /** What was left out, where faults were skipped. */
  readonly skipped: readonly PipelineError[];
}

/** A way to read shards. */
export type View<S> = (files: readonly string[], options: Pick<DatasetOptions, "endMarker">) => Dataset<S>;

export const rawView: View<RawSample> = (files, options) => rawSamples(files, options);

export const dictView: View<CanonicalSample> = (files, options) => dataset(files, options).map(canonicalOfDictSample);

export function typedView(schema: unknown): View<CanonicalSample> {
  const type = sampleTypeOf(schema);
  return (files, options) => dataset(files, type, options).map((sample) => canonicalOfSample(type, sample));
}

/** Reads to the end, or to the first error. */
export async function read<S>(
  view: View<S>,
  file: string,
  {
    onError = "raise",
    endMarker = "required",
  }: { onError?: "raise" | "skip"; endMarker?: "required" | "optional" } = {},
): Promise<Outcome<S>> {
  const run = view([file], { endMarker }).run({ onError });
  const [samples, keys]: [S[], string[]] = [[], []];
  const found = { samples, keys };
  try {
    for await (const sample of run) {
      samples.push(sample);
      keys.push(run.origin!.key);
    }
  } catch (error) {
    // Anything else is a fault of the library, not of the shard.
    if (!(error instanceof PipelineError)) throw error;
    return { ...found, error, skipped: run.summary.errors };
  }
  return { ...found, skipped: run.summary.errors };
}

/**
 * Reads a shard that Python read without an error: an archive without two zero blocks at its end is no error there, so it is
 * read once more without asking for them.
 */
export async function readComplete<S>(view: View<S>, file: string): Promise<Outcome<S>> {
  const outcome = await read(view, file);
  return outcome.error?.code === "SHARD_TRUNCATED" ? read(view, file, { endMarker: "optional" }) : outcome;
}
