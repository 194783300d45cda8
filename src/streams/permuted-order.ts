import { permutationOf } from "./permutation.ts";
import type { Order } from "./pick.ts";

/** An order in which what stands near is read together: places up to `blockEnd(place)`, in any order among them. */
export interface ReadOrder extends Order {
  blockEnd?(place: number): number;
}

/** All samples of an order in a new one, that of a seed and an epoch. */
export function permuted(order: Order, seed: number, epoch: number): ReadOrder {
  const chance = permutationOf(order.length, seed, epoch);
  return { length: order.length, at: (place) => order.at(chance.at(place)) };
}

/** Neighbouring samples that move together in block mode: part of the order. */
const RUN = 64;

/**
 * An order that keeps to blocks of at most `blockBytes`: runs of 64 neighbouring samples are permuted and gathered to blocks, and
 * the samples of a block are permuted among themselves. A run that is larger alone is a block.
 */
export function permutedInBlocks(
  order: Order,
  { seed, epoch, blockBytes }: { readonly seed: number; readonly epoch: number; readonly blockBytes: number },
  spanOf: (number: number) => number,
): ReadOrder {
  const { length } = order;
  const runs = permutationOf(Math.ceil(length / RUN), seed, epoch, RUN);
  const short = length % RUN;
  // Places in front of the one run that is short of samples, if there is one.
  let before = length;
  /** The sample at a place of the permuted runs. */
  const inRuns = (place: number): number => {
    const at = place < before + short ? place : place + RUN - short;
    return runs.at(Math.floor(at / RUN)) * RUN + (at % RUN);
  };
  const starts: number[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (let k = 0, place = 0; k < runs.length; k++) {
    const first = runs.at(k) * RUN;
    const end = Math.min(first + RUN, length);
    if (end - first < RUN) before = place;
    let size = 0;
    for (let i = first; i < end; i++) size += spanOf(order.at(i));
    if (bytes + size > blockBytes) {
      starts.push(place);
      bytes = 0;
    }
    bytes += size;
    place += end - first;
  }
  starts.push(length);
  const blocks = new BlockOrders(starts, seed, epoch);
  return {
    length,
    at: (place) => order.at(inRuns(blocks.at(place))),
    blockEnd: (place) => blocks.endOf(place),
  };
}

/** Each block of places in an order of its own. */
class BlockOrders {
  readonly #starts: readonly number[];
  readonly #seed: number;
  readonly #epoch: number;
  #block = -1;
  #order = permutationOf(0, 0, 0);

  constructor(starts: readonly number[], seed: number, epoch: number) {
    this.#starts = starts;
    this.#seed = seed;
    this.#epoch = epoch;
  }

  at(place: number): number {
    this.#goTo(place);
    const start = this.#starts[this.#block]!;
    return start + this.#order.at(place - start);
  }

  endOf(place: number): number {
    this.#goTo(place);
    return this.#starts[this.#block + 1]!;
  }

  #goTo(place: number): void {
    const starts = this.#starts;
    if (this.#block >= 0 && place >= starts[this.#block]! && place < starts[this.#block + 1]!) return;
    let low = 0;
    let high = starts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= place) low = middle;
      else high = middle - 1;
    }
    this.#block = low;
    this.#order = permutationOf(starts[low + 1]! - starts[low]!, this.#seed, this.#epoch, low, RUN);
  }
}
