import { type Permutation, permutationOf } from "./permutation.ts";

/** Some of the samples of a source, in their order: a stretch of them, as `Array.slice` takes it, or `count` by chance. */
export type Choice =
  | { readonly kind: "slice"; readonly from: number; readonly to: number | null }
  | { readonly kind: "sample"; readonly count: number; readonly seed: number };

/** Which stored sample stands at a place. */
export type Order = Permutation;

export function wholeOrder(length: number): Order {
  return { length, at: (place) => place };
}

/** What is left of an order. */
export function pickFrom(order: Order, pick: Choice): Order {
  if (pick.kind === "sample") {
    const { count, seed } = pick;
    if (count >= order.length) return order;
    const chance = permutationOf(order.length, seed, 0, count);
    const places = Float64Array.from({ length: count }, (_, i) => chance.at(i)).sort();
    return { length: count, at: (place) => order.at(places[place]!) };
  }
  const inside = (place: number): number =>
    Math.min(order.length, place < 0 ? Math.max(0, order.length + place) : place);
  const from = inside(pick.from);
  const length = Math.max(0, inside(pick.to ?? order.length) - from);
  return { length, at: (place) => order.at(from + place) };
}

/** How many stored samples have to be counted to know what the picks leave. */
export function countNeeded([first]: readonly Choice[]): number {
  const isPrefix = first?.kind === "slice" && first.from >= 0 && first.to !== null && first.to >= 0;
  return isPrefix ? first.to! : Number.POSITIVE_INFINITY;
}
