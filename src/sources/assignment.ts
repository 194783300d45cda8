import type { WeightStep } from "../streams/trace.ts";
import type { Turns } from "./turns.ts";

/** Positions in which weights hold, with the share of each input there, and its target when they begin. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly shares: Float64Array;
  readonly targets: Float64Array;
}

/**
 * Gives each position to an input so that, in every prefix, each input has its share of it, within one item. It is Tijdeman's
 * solution of the chairman assignment problem (Discrete Mathematics 32, 1980), which holds for shares that change, too: with
 * `k` inputs no count is ever further from its target than `1 - 1 / (2k - 2)`.
 *
 * An input may have its next item once its target is `margin` above its count, and must have it before the target is a whole
 * item less `margin` above. Of those that may, the one that must first is next. Both moments follow from the input's count by
 * a closed form, so that nothing adds up in the course of a run, and a count is all that a checkpoint needs.
 */
export class Assignment implements Turns {
  readonly #stretches: readonly Stretch[];
  readonly #taken: Float64Array;
  readonly #earliest: Float64Array;
  readonly #latest: Float64Array;
  /** Where each input has weight for the last time. */
  readonly #ends: readonly number[];
  readonly #margin: number;
  #now = 0;

  /** `taken`: items that each input had since `measured`; undefined for one that takes no part. */
  constructor(weights: readonly WeightStep[], measured: number, taken: readonly (number | undefined)[]) {
    const parts = taken.map((count) => count !== undefined);
    const inputs = parts.filter(Boolean).length;
    this.#margin = 1 / Math.max(2, 2 * inputs - 2);
    this.#stretches = stretchesOf(weights, measured, parts);
    this.#ends = taken.map((_, input) => this.#stretches.findLast(({ shares }) => shares[input]! > 0)?.to ?? 0);
    this.#taken = Float64Array.from(taken, (count) => count ?? 0);
    this.#earliest = this.#taken.map((_, input) => this.#earliestOf(input));
    this.#latest = this.#taken.map((_, input) => this.#latestOf(input));
  }

  turn(position: number): number {
    while (this.#stretches[this.#now]!.to <= position) this.#now++;
    const count = position + 1;
    let next = -1;
    for (let input = 0; input < this.#taken.length; input++) {
      if (this.#earliest[input]! <= count && (next < 0 || this.#latest[input]! < this.#latest[next]!)) next = input;
    }
    return next >= 0 ? next : this.#soonest();
  }

  /** Only rounding, or weights that are all zero, leave nobody who may. */
  #soonest(): number {
    const soonest = this.#earliest.reduce((best, at, input) => (at < this.#earliest[best]! ? input : best), 0);
    return Number.isFinite(this.#earliest[soonest]) ? soonest : -1;
  }

  took(input: number): void {
    this.#taken[input]!++;
    this.#earliest[input] = this.#earliestOf(input);
    this.#latest[input] = this.#latestOf(input);
  }

  taken(input: number): number {
    return this.#taken[input]!;
  }

  wants(input: number, position: number): boolean {
    return position < this.#ends[input]!;
  }

  // Where rounding decides, it decides for the wider limits: so there is always someone who may, and nobody is too late.
  #earliestOf(input: number): number {
    return this.#lengthFor(input, this.#taken[input]! + this.#margin, -1);
  }
  #latestOf(input: number): number {
    return this.#lengthFor(input, this.#taken[input]! + 1 - this.#margin, 1);
  }

  /** The length of the shortest prefix in which the target of an input is at least (`side` -1) or above (1) `target`. */
  #lengthFor(input: number, target: number, side: -1 | 1): number {
    for (let i = this.#now; i < this.#stretches.length; i++) {
      const { from, to, shares, targets } = this.#stretches[i]!;
      const share = shares[input]!;
      const missing = target - targets[input]!;
      if (share === 0) {
        if (missing <= 0) return from;
        continue;
      }
      const items = missing / share;
      const length = from + Math.ceil(items + side * (1e-9 + Math.abs(items) * 2 ** -46));
      if (length <= to) return length;
    }
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * From `measured` on. Where all inputs that take part weigh nothing, the next weights that give one of them something hold
 * already; where there are none, nobody has a share.
 */
function stretchesOf(steps: readonly WeightStep[], measured: number, parts: readonly boolean[]): Stretch[] {
  const stretches: Stretch[] = [];
  let targets = new Float64Array(parts.length);
  steps.forEach((step, i) => {
    const from = Math.max(step.from, measured);
    const to = steps[i + 1]?.from ?? Number.POSITIVE_INFINITY;
    if (to <= from) return;
    const sum = ({ weights }: WeightStep): number =>
      weights.reduce((total, weight, input) => total + (parts[input] ? weight : 0), 0);
    const { weights } = steps.find((other, k) => k >= i && sum(other) > 0) ?? { weights: [] };
    const total = sum({ from, weights });
    const shares = Float64Array.from(parts, (part, input) => (part && total > 0 ? weights[input]! / total : 0));
    stretches.push({ from, to, shares, targets });
    targets = targets.map((target, input) =>
      to === Number.POSITIVE_INFINITY ? 0 : target + shares[input]! * (to - from),
    );
  });
  return stretches;
}
