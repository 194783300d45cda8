import type { Order } from "./pick.ts";
import { hashNumbers, permutation } from "./random.ts";

/** Shards open at once in a shuffled pass, and samples taken from one before it is the next one's turn: part of the order. */
export const OPEN_SHARDS = 64;
export const RUN = 64;

/**
 * The order in which a windowed shuffle takes the samples of shards that have these counts: shards permuted, up to 64 open, runs of
 * 64 in turn.
 */
export function interleavedRuns(counts: readonly number[], seed: number, epoch: number): Order {
  const firsts: number[] = [];
  let length = 0;
  for (const count of counts) {
    firsts.push(length);
    length += count;
  }
  const waiting = Array.from(permutation(counts.length, hashNumbers(seed, epoch)));
  const turn = waiting.splice(0, OPEN_SHARDS).map((shard) => ({ shard, at: 0 }));
  const places: number[] = []; // of each run
  const numbers: number[] = [];
  let place = 0;
  for (let slot = 0; turn.length > 0; ) {
    const open = turn[slot]!;
    const count = Math.min(RUN, counts[open.shard]! - open.at);
    if (count > 0) {
      places.push(place);
      numbers.push(firsts[open.shard]! + open.at);
      place += count;
      open.at += count;
    }
    if (count === RUN) {
      slot = (slot + 1) % turn.length;
      continue;
    }
    // A shard's end shows when it has no whole run any more.
    const next = waiting.shift();
    if (next !== undefined) {
      turn[slot] = { shard: next, at: 0 };
      slot = (slot + 1) % turn.length;
    } else {
      turn.splice(slot, 1);
      if (slot === turn.length) slot = 0;
    }
  }
  return {
    length,
    at(place) {
      let low = 0;
      let high = places.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (places[middle]! <= place) low = middle;
        else high = middle - 1;
      }
      return numbers[low]! + place - places[low]!;
    },
  };
}
