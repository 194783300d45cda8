import { PipelineError } from "../errors.ts";
import type { ShardStats } from "./shard-stats.ts";

/** What a job tells at its end, and leaves beside its outputs. */
export type JobReport = {
  readonly version: 1;
  /** Whether every shard was converted. */
  readonly complete: boolean;
  readonly shards: readonly ConvertedShard[];
  readonly samples: number;
  readonly bytes: number;
  readonly skippedSamples: number;
  readonly skippedShards: number;
  readonly quarantinedSamples: number;
  readonly quarantinedShards: number;
  /** Shards that were there, whole and of the same input and task. */
  readonly kept: number;
  readonly elapsedMs: number;
  /** `4 threads`; null for the calling thread. */
  readonly executor: string | null;
  /** What ended the job. */
  readonly errors: readonly JobError[];
};

/** One shard of a job. */
export type ConvertedShard = Omit<ShardStats, "version" | "fields" | "madeOf"> & {
  readonly input: string;
  readonly output: string;
  /** Absent where it was kept. */
  readonly ms?: number;
};

export type JobError = { readonly input: string; readonly code: string; readonly message: string };

/** The report of what was done of a job. */
export function reportOf(
  shards: readonly ConvertedShard[],
  errors: readonly JobError[],
  rest: Pick<JobReport, "complete" | "elapsedMs" | "executor">,
): JobReport {
  const sum = (of: "samples" | "bytes" | `${"skipped" | "quarantined"}${"Samples" | "Shards"}`): number =>
    shards.reduce((all, shard) => all + shard[of], 0);
  return {
    version: 1,
    complete: rest.complete,
    samples: sum("samples"),
    bytes: sum("bytes"),
    skippedSamples: sum("skippedSamples"),
    skippedShards: sum("skippedShards"),
    quarantinedSamples: sum("quarantinedSamples"),
    quarantinedShards: sum("quarantinedShards"),
    kept: shards.filter(({ ms }) => ms === undefined).length,
    elapsedMs: rest.elapsedMs,
    executor: rest.executor,
    errors,
    shards,
  };
}

export function jobErrorOf(error: unknown, input: string): JobError {
  const code = error instanceof PipelineError ? error.code : error instanceof Error ? error.name : "Error";
  return { input, code, message: error instanceof Error ? error.message : String(error) };
}
