import { PipelineError } from "../errors.ts";
import type { Progress } from "./trace.ts";

/**
 * A place between two items of a run, as plain data under a few hundred bytes: what `run({ resume })` needs to go on there. It
 * holds places in the input, never samples.
 */
export interface Checkpoint {
  /** Version of this form. */
  readonly version: 1;
  /** Fingerprint of the plan. */
  readonly plan: string;
  readonly epoch: number;
  /** How many numberings of items the plan has: one, and one more for each operator that counts. */
  readonly segments: number;
  /** How far the last of them has come, with those before it inside; absent: nothing was handed out. */
  readonly progress?: Progress | undefined;
  /** Whether the run had come to its end. */
  readonly ended: boolean;
}

/**
 * Checks that a checkpoint, which may come from a file, belongs to a plan.
 *
 * @throws {PipelineError} `CHECKPOINT_MISMATCH`, saying what differs.
 */
export function checkCheckpoint(checkpoint: Checkpoint, plan: string, epoch: number | undefined): void {
  const refuse = (what: string, hint: string): never => {
    throw new PipelineError("CHECKPOINT_MISMATCH", `Cannot resume: ${what}`, { hint });
  };
  if (typeof checkpoint !== "object" || checkpoint === null || checkpoint.version !== 1) {
    refuse("this is no checkpoint of version 1", "pass what run.checkpoint() gave");
  }
  if (checkpoint.plan !== plan) {
    refuse(
      "the checkpoint was taken from another plan (its shards, operators or their options differ)",
      "resume with the dataset as it was, or start anew",
    );
  }
  if (epoch !== undefined && epoch !== checkpoint.epoch) {
    refuse(
      `the checkpoint belongs to epoch ${checkpoint.epoch}, the dataset asks for epoch ${epoch}`,
      "leave .epoch() out: a resumed run goes on in the epoch of its checkpoint",
    );
  }
  if (!isCount(checkpoint.epoch) || !isCount(checkpoint.segments)) {
    refuse("its numbers are not whole numbers >= 0", "pass what run.checkpoint() gave");
  }
  for (let at = checkpoint.progress ?? undefined; at !== undefined; at = at.before ?? undefined) {
    const { start, place } = at;
    if (![start, place?.position, place?.part].every(isCount)) {
      refuse("its places are not whole numbers >= 0", "pass what run.checkpoint() gave");
    }
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
