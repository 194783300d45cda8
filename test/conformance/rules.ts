import { isDeepStrictEqual } from "node:util";
import type { PythonView } from "./expected.ts";
import type { Outcome } from "./read.ts";

/** What is not as it should be. */
export interface Difference {
  readonly expected: unknown;
  readonly got: unknown;
}

type Equal<E, S> = (expected: E, got: S, index: number) => boolean;

const equalValues: Equal<unknown, unknown> = (expected, got) => isDeepStrictEqual(expected, got);

/** What may be wrong with the content of a shard; all else, such as a shard that cannot be opened, is no answer to damage. */
const DAMAGE = new Set([
  "SHARD_CORRUPT",
  "SHARD_TRUNCATED",
  "SAMPLE_CORRUPT",
  "SCHEMA_MISMATCH",
  "ARRAY_CORRUPT",
  "UNSUPPORTED",
]);

/** Where Python read everything: the same samples, and no error. Where it failed: the samples before that, then an error. */
export function sameAsPython<E, S>(
  python: PythonView<E>,
  ours: Outcome<S>,
  equal: Equal<E, S> = equalValues,
): Difference | undefined {
  const { samples, error } = ours;
  for (const [index, expected] of python.samples.entries()) {
    if (index >= samples.length) return { expected, got: told(error) ?? "the end" };
    if (!equal(expected, samples[index]!, index)) return { expected, got: samples[index] };
  }
  if (python.error === null || python.error === undefined) {
    if (error !== undefined) return { expected: "no error", got: told(error) };
    if (samples.length > python.samples.length) return { expected: "the end", got: samples[python.samples.length] };
  } else if (error === undefined) {
    return { expected: `an error, as Python's: ${JSON.stringify(python.error)}`, got: "no error" };
  }
  return isDamage(error);
}

/** Which samples of a damaged shard are good. */
export interface Goodness<E, S> {
  /** Whether Python's sample is good, so that we must give it too. */
  isNeeded(expected: E, index: number): boolean;
  /** Whether a sample that Python did not give is good, so that we may give it. */
  isGood(got: S): boolean;
}

/**
 * A damaged shard, read until the first error and with faults skipped. Where Python accepted it we may refuse, but only at a
 * sample that is not good, and good samples behind it must come through where they did in Python. Where Python failed, what we
 * give beyond it must be good.
 */
export function noWorseThanPython<E, S>(
  python: PythonView<E>,
  raised: Outcome<S>,
  skipped: Outcome<S>,
  goodness: Goodness<E, S>,
  equal: Equal<E, S> = equalValues,
): Difference | undefined {
  const same = sameAsPython(python, raised, equal);
  const failed = python.error !== null && python.error !== undefined;
  if (same === undefined && !failed) return undefined;
  const { samples, error } = raised;
  if (failed) {
    const all = [...samples.slice(python.samples.length), ...skipped.samples.slice(python.samples.length)];
    const bad = all.find((sample) => !goodness.isGood(sample));
    if (same === undefined && bad !== undefined) return { expected: "good samples only", got: bad };
    return same ?? neededAreThere(python.samples, skipped.samples, goodness, equal);
  }
  const isPrefix = samples.every((sample, at) => at in python.samples && equal(python.samples[at]!, sample, at));
  if (error === undefined || !isPrefix) return same;
  const refused = python.samples[samples.length];
  if (refused !== undefined && goodness.isNeeded(refused, samples.length)) return same;
  return isDamage(error) ?? neededAreThere(python.samples, skipped.samples, goodness, equal);
}

/** Whether ours hold, in order, every sample of Python's that is good. */
function neededAreThere<E, S>(
  python: readonly E[],
  ours: readonly S[],
  { isNeeded }: Goodness<E, S>,
  equal: Equal<E, S>,
): Difference | undefined {
  let next = 0;
  for (const [index, sample] of python.entries()) {
    const at = ours.findIndex((own, place) => place >= next && equal(sample, own, index));
    if (at >= 0) next = at + 1;
    else if (isNeeded(sample, index)) return { expected: sample, got: "not there, with faults skipped" };
  }
  return undefined;
}

function isDamage(error: Outcome<unknown>["error"]): Difference | undefined {
  if (error === undefined || DAMAGE.has(error.code)) return undefined;
  return { expected: `one of ${[...DAMAGE].join(", ")}`, got: told(error) };
}

const told = (error: Outcome<unknown>["error"]): string | undefined => error && `${error.code}: ${error.message}`;
