import { finish, mix } from "./random.ts";
import type { Place } from "./trace.ts";

/** How a shuffle orders the rows of its segment. */
export interface ShuffleOrder {
  readonly seed: number;
  readonly epoch: number;
  /** Which shuffle of the plan it is, from 0. */
  readonly nth: number;
  /** Positions in a block: rows change places within their block. */
  readonly window: number;
  /** Whether outputs of one input are shuffled one by one: a `flatMap` stands before. */
  readonly parts: boolean;
  /** Whether positions are those of the source: no operator that counts stands before. */
  readonly ofSource: boolean;
}

/** The number by which a row is sorted in its block: 32 bits that depend on seed, epoch, shuffle, position and part. */
export function orderHash(order: ShuffleOrder, position: number, part: number): number {
  let h = mix(mix(mix(0x9747b28c, order.seed >>> 0), order.epoch >>> 0), order.nth);
  h = mix(mix(h, position >>> 0), Math.floor(position / 4294967296) >>> 0);
  return finish(order.parts ? mix(h, part) : h);
}

export function blockOf(order: ShuffleOrder, position: number): number {
  return Math.floor(position / order.window);
}

/** The position of the source behind the block that holds a position; where items were counted anew, nobody knows it. */
export function reachOfBlock(order: ShuffleOrder, position: number): number {
  return order.ofSource ? (blockOf(order, position) + 1) * order.window : Number.MAX_SAFE_INTEGER;
}

/** Compares two places in the order of a segment: negative when `a` comes first. `order` is that of its last shuffle, if any. */
export function comparePlaces(order: ShuffleOrder | undefined, a: Place, b: Place): number {
  if (order !== undefined) {
    const blocks = blockOf(order, a.position) - blockOf(order, b.position);
    if (blocks !== 0) return blocks;
    const hashes = orderHash(order, a.position, a.part) - orderHash(order, b.position, b.part);
    if (hashes !== 0) return hashes;
  }
  return a.position - b.position || a.part - b.part;
}
