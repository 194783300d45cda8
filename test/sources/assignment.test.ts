import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Assignment } from "../../src/sources/assignment.ts";
import type { WeightStep } from "../../src/streams/trace.ts";
import { soakRuns } from "../soak.ts";

const weight = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: 0, max: 5, noNaN: true }), fc.constant(1e-6));
const schedules = fc.integer({ min: 1, max: 40 }).chain((inputs) =>
  fc
    .array(
      fc.record({
        length: fc.integer({ min: 1, max: 150 }),
        weights: fc
          .array(weight, { minLength: inputs, maxLength: inputs })
          .filter((weights) => weights.some((w) => w > 0)),
      }),
      { minLength: 1, maxLength: 5 },
    )
    .map((steps) => {
      let from = 0;
      return steps.map(({ length, weights }): WeightStep => {
        const step = { from, weights };
        from += length;
        return step;
      });
    }),
);

/** Goes through positions, and gives the furthest that any count is from its target. */
function furthest(steps: readonly WeightStep[], positions: number, from = 0): number {
  const inputs = steps[0]!.weights.length;
  const turns = new Assignment(steps, from, new Array<number>(inputs).fill(0));
  const counts = new Array<number>(inputs).fill(0);
  const targets = new Array<number>(inputs).fill(0);
  let furthest = 0;
  for (let position = from; position < from + positions; position++) {
    const { weights } = steps.findLast((step) => step.from <= position)!;
    const sum = weights.reduce((total, w) => total + w, 0);
    const turn = turns.turn(position);
    turns.took(turn);
    counts[turn]!++;
    for (let i = 0; i < inputs; i++) {
      targets[i]! += weights[i]! / sum;
      furthest = Math.max(furthest, Math.abs(counts[i]! - targets[i]!));
    }
  }
  return furthest;
}

describe("Assignment", () => {
  it("keeps every prefix within one item of the weights, by a margin", () => {
    fc.assert(
      fc.property(schedules, fc.integer({ min: 0, max: 300 }), (steps, from) => {
        const inputs = steps[0]!.weights.length;
        const bound = inputs === 1 ? 0 : 1 - 1 / (2 * inputs - 2);
        expect(furthest(steps, 800, from)).toBeLessThanOrEqual(bound + 1e-6);
      }),
      { seed: 20_250_103, numRuns: soakRuns(200), endOnFailure: false },
    );
  });

  it("keeps it far out, and for many inputs", () => {
    const far = 2 ** 40;
    expect(furthest([{ from: 0, weights: [0.1, 0.7, 0.2, 1 / 3] }], 10_000, far)).toBeLessThan(1);
    expect(furthest([{ from: 0, weights: Array.from({ length: 500 }, (_, i) => 1 + (i % 17)) }], 3_000)).toBeLessThan(
      1,
    );
    expect(furthest([{ from: 0, weights: [1, 1e-9] }], 3_000)).toBeLessThan(1);
  });

  it("takes equal weights in turn, for ever", () => {
    for (const [inputs, weight] of [
      [3, 1],
      [7, 0.1],
      [10, 1 / 3],
    ] as const) {
      const turns = new Assignment(
        [{ from: 0, weights: new Array(inputs).fill(weight) }],
        0,
        new Array(inputs).fill(0),
      );
      for (let position = 0; position < 5_000; position++) {
        expect(turns.turn(position)).toBe(position % inputs);
        turns.took(position % inputs);
      }
    }
  });

  it("goes on from counts alone", () => {
    fc.assert(
      fc.property(schedules, fc.integer({ min: 0, max: 400 }), (steps, cut) => {
        const turns = new Assignment(steps, 0, new Array(steps[0]!.weights.length).fill(0));
        const order = (turns: Assignment, from: number, to: number) =>
          Array.from({ length: to - from }, (_, i) => {
            const turn = turns.turn(from + i);
            turns.took(turn);
            return turn;
          });
        order(turns, 0, cut);
        const resumed = new Assignment(
          steps,
          0,
          steps[0]!.weights.map((_, i) => turns.taken(i)),
        );
        expect(order(resumed, cut, cut + 300)).toEqual(order(turns, cut, cut + 300));
      }),
      { seed: 20_250_104, numRuns: soakRuns(100), endOnFailure: false },
    );
  });

  it("gives nobody a turn where all who are left weigh nothing, and takes the next weights early where there are some", () => {
    expect(new Assignment([{ from: 0, weights: [1, 0] }], 0, [undefined, 0]).turn(0)).toBe(-1);
    const steps = [
      { from: 0, weights: [1, 0, 0] },
      { from: 10, weights: [1, 0, 1] },
    ];
    expect(new Assignment(steps, 3, [undefined, 0, 0]).turn(3)).toBe(2);
  });
});
