import { PipelineError } from "../errors.ts";
import { type DeliveredByRanks, unite, withPlace } from "./delivered.ts";
import type { Ranks } from "./ranks.ts";
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
  /** Of a combined dataset, fingerprint of the plan with all its inputs: with several ranks they must stay as they were. */
  readonly inputs?: string | undefined;
  readonly epoch: number;
  /** How many numberings of items the plan has: one, and one more for each operator that counts. */
  readonly segments: number;
  /** How far the last of them has come, with those before it inside; absent: nothing was handed out. */
  readonly progress?: Progress | undefined;
  /** Whether the run had come to its end. */
  readonly ended: boolean;
  /** Which rank of how many took it, where there were several. */
  readonly rank?: number | undefined;
  readonly worldSize?: number | undefined;
  /** What was delivered before that run, by any number of ranks. */
  readonly delivered?: readonly DeliveredByRanks[] | undefined;
}

/**
 * One checkpoint of those that several ranks took. A run by any number of ranks goes on from it: each leaves out what any of
 * them delivered. Give the last one of each rank; a rank that handed out nothing may be left out.
 *
 * @throws {PipelineError} `CHECKPOINT_MISMATCH` if they belong to different plans or epochs, or two to one rank.
 */
export function mergeCheckpoints(checkpoints: readonly Checkpoint[]): Checkpoint {
  const [first] = Array.isArray(checkpoints) ? (checkpoints as readonly Checkpoint[]) : [];
  if (first === undefined) throw new TypeError("Cannot merge checkpoints: give it a list of at least one");
  for (const checkpoint of checkpoints) checkCheckpoint(checkpoint, first?.plan, first?.epoch, first?.segments);
  checkOneOfEach(checkpoints);
  if (checkpoints.length === 1 && first.worldSize === undefined) return first;
  let delivered: readonly DeliveredByRanks[] = [];
  for (const checkpoint of checkpoints) delivered = unite(delivered, checkpoint.delivered ?? []);
  for (const { rank = 0, worldSize = 1, ended, progress } of checkpoints) {
    delivered = withPlace(delivered, rank, worldSize, ended ? "all" : progress?.place);
  }
  const { version, plan, inputs, epoch, segments } = first;
  return { version, plan, ...(inputs && { inputs }), epoch, segments, ended: false, delivered };
}

/** Of two places of one rank nobody knows which is the later one: that depends on the order of the plan. */
function checkOneOfEach(checkpoints: readonly Checkpoint[]): void {
  const seen = new Map<string, string>();
  for (const { rank = 0, worldSize = 1, ended, progress } of checkpoints) {
    if (!ended && !progress) continue;
    const [who, place] = [`rank ${rank} of ${worldSize}`, JSON.stringify([ended, progress?.place])];
    if ((seen.get(who) ?? place) !== place)
      refuse(`there are two checkpoints of ${who}`, "give the last one of each rank");
    seen.set(who, place);
  }
}

/** What was delivered when a checkpoint was taken. */
export function deliveredBy({ rank, worldSize, ended, progress, delivered }: Checkpoint): readonly DeliveredByRanks[] {
  return withPlace(delivered ?? [], rank ?? 0, worldSize ?? 1, ended ? "all" : progress?.place);
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
  const { rank = 0, worldSize = 1, delivered = [] } = checkpoint;
  if (!isCount(rank) || !isCount(worldSize) || rank >= worldSize || !delivered.every(isDelivered)) {
    refuse("what it says about ranks is none of it", "pass what run.checkpoint() or mergeCheckpoints() gave");
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

/**
 * Checks that a run may go on from a checkpoint: that of one of several ranks says nothing of the others.
 *
 * @throws {PipelineError} `CHECKPOINT_MISMATCH`
 */
export function checkRank(checkpoint: Checkpoint, { rank, worldSize, even }: Ranks): void {
  const { rank: itsRank = 0, worldSize: itsSize = 1, delivered = [] } = checkpoint;
  const isMerged = checkpoint.worldSize === undefined && checkpoint.delivered !== undefined;
  if (itsSize > 1 && !isMerged && (itsRank !== rank || itsSize !== worldSize)) {
    throw new PipelineError(
      "CHECKPOINT_MISMATCH",
      `Cannot resume as rank ${rank} of ${worldSize}: the checkpoint is that of rank ${itsRank} of ${itsSize}`,
      { hint: "resume with mergeCheckpoints([…]) of the checkpoints of all ranks" },
    );
  }
  const sizes = [...delivered.map((group) => group.worldSize), ...(isMerged ? [] : [itsSize])];
  if (even !== "exact" && sizes.some((size) => size !== worldSize)) {
    throw new PipelineError(
      "RANK_UNSUPPORTED",
      `Cannot make the ranks even by { even: "${even}" }: the checkpoint was taken with another number of ranks`,
      { hint: "resume with that number of ranks, or leave even out" },
    );
  }
}

/**
 * Checks that the inputs of a combined dataset are those that ranks shared, from the start on.
 *
 * @throws {PipelineError} `CHECKPOINT_MISMATCH`
 */
export function checkInputs(checkpoint: Checkpoint, inputs: string | undefined): void {
  let first = checkpoint.progress;
  while (first?.before) first = first.before;
  if (checkpoint.inputs === inputs && (first?.combined?.turns?.length ?? 1) === 1) return;
  refuse(
    "the datasets that are combined, or their weights, have changed, and places were shared out over ranks by them",
    "resume as one rank, or with the datasets and weights as they were from the start on",
  );
}

function isDelivered({ worldSize, places }: DeliveredByRanks): boolean {
  const isPlace = (place: unknown): boolean =>
    place === null || place === "all" || (Array.isArray(place) && place.length === 2 && place.every(isCount));
  return Array.isArray(places) && places.length === worldSize && places.every(isPlace);
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
