import type { WeightStep } from "../streams/trace.ts";

export function equalWeights(inputs: number): readonly WeightStep[] {
  return [{ from: 0, weights: new Array<number>(inputs).fill(1) }];
}

/**
 * Weights as a schedule, checked.
 *
 * @throws {TypeError} If it is no list of weights, or there is not one for each input.
 * @throws {RangeError} If a weight is not a number >= 0, all are 0, or positions do not begin with 0 and rise.
 */
export function checkWeights(
  weights: readonly number[] | readonly WeightStep[],
  inputs: number,
): readonly WeightStep[] {
  if (!Array.isArray(weights) || weights.length === 0) {
    throw new TypeError("Cannot mix datasets: weights must be a list of numbers, or of { from, weights }");
  }
  const isSchedule = weights.some((step) => typeof step === "object");
  const steps = (isSchedule ? weights : [{ from: 0, weights }]) as readonly WeightStep[];
  return steps.map((step, i) => {
    const from = step?.from;
    const least = i === 0 ? 0 : steps[i - 1]!.from + 1;
    if (!Number.isSafeInteger(from) || (i === 0 ? from !== 0 : from < least)) {
      const must = i === 0 ? "0 in the first weights" : `a whole number >= ${least} in weights ${i}`;
      throw new RangeError(`Cannot mix datasets: from must be ${must}, not ${from}`);
    }
    return { from, weights: checkStep(step.weights, inputs) };
  });
}

function checkStep(weights: unknown, inputs: number): readonly number[] {
  if (!Array.isArray(weights) || weights.length !== inputs) {
    const given = Array.isArray(weights) ? weights.length : "none";
    throw new TypeError(`Cannot mix datasets: there must be a weight for each of ${inputs} datasets, not ${given}`);
  }
  const wrong = weights.find((weight) => !Number.isFinite(weight) || weight < 0);
  if (wrong !== undefined || weights.includes(undefined)) {
    throw new RangeError(`Cannot mix datasets: a weight must be a number >= 0, not ${wrong}`);
  }
  const sum = weights.reduce<number>((total, weight) => total + weight, 0);
  if (!(sum > 0 && Number.isFinite(sum))) {
    throw new RangeError(`Cannot mix datasets: the weights must have a sum above 0, not ${sum}`);
  }
  return [...weights];
}
