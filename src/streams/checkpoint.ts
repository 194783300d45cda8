import { PipelineError } from "../errors.ts";
import type { CombinedProgress, Progress, WeightStep } from "./trace.ts";

/**
 * A place between two items of a run, as plain data under a few hundred bytes, and some more for each input of a mix: what
 * `run({ resume })` needs to go on there. It holds places in the input, never samples.
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
export function checkCheckpoint(
  checkpoint: Checkpoint,
  plan: string,
  epoch: number | undefined,
  segments: number,
): void {
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
  if (checkpoint.segments !== segments) {
    refuse("the checkpoint has another number of counting operators", "pass what run.checkpoint() gave");
  }
  checkProgress(checkpoint.progress);
}

function checkProgress(progress: Progress | undefined): void {
  for (let at = progress ?? undefined; at !== undefined; at = at.before ?? undefined) {
    const { start, place, combined } = at;
    if (!isCount(start) || (place && !(isCount(place.position) && isCount(place.part)))) {
      refuse("its places are not whole numbers >= 0", "pass what run.checkpoint() gave");
    }
    if (combined) checkCombined(combined);
  }
}

function checkCombined({ inputs, turns = [], fixedTo = 0 }: CombinedProgress): void {
  const sound =
    Array.isArray(inputs) &&
    Array.isArray(turns) &&
    isCount(fixedTo) &&
    inputs.every((input) => typeof input?.plan === "string" && isCount(input.epoch)) &&
    inputs.every(({ passes = 0, taken = 0 }) => isCount(passes) && isCount(taken)) &&
    turns.every((turn) => isCount(turn?.inputs) && isCount(turn.measured)) &&
    turns.every(
      ({ inputs, weights = [] }) => Array.isArray(weights) && weights.every((step) => areWeights(step, inputs)),
    );
  if (!sound) refuse("what it says of the inputs of a combined dataset is damaged", "pass what run.checkpoint() gave");
  for (const { progress } of inputs) checkProgress(progress);
}

function areWeights(step: WeightStep, inputs: number): boolean {
  const { from, weights } = step ?? {};
  if (!isCount(from) || !Array.isArray(weights) || weights.length !== inputs) return false;
  return weights.every((weight) => weight >= 0 && Number.isFinite(weight));
}

/** Ends a resume, saying why. */
export function refuse(what: string, hint: string): never {
  throw new PipelineError("CHECKPOINT_MISMATCH", `Cannot resume: ${what}`, { hint });
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
