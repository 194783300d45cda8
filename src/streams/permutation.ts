import { hashNumbers, permutation } from "./random.ts";

/** Counts below it have a table: true Fisher-Yates, and one load an index. */
const TABLE_BELOW = 2 ** 16;
const ROUNDS = 6;

/** One order of the numbers 0..length-1: what stands at a place is worked out when it is asked for. */
export interface Permutation {
  readonly length: number;
  /** The number at a place from 0 to `length - 1`. */
  at(place: number): number;
}

/**
 * The order that a count, a seed and an epoch have everywhere and for ever. `extra` tells further orders of the same three apart.
 * From 65,536 on it takes no memory: a Feistel network over the bits of the count, walked on until it lands below the count.
 *
 * @example
 * ```ts
 * const order = permutationOf(1_000_000_000, 42, 0);
 * order.at(0) !== order.at(1); // true
 * ```
 */
export function permutationOf(length: number, seed: number, epoch: number, ...extra: readonly number[]): Permutation {
  if (length < TABLE_BELOW) {
    const table = permutation(length, hashNumbers(seed, epoch, ...extra));
    return { length, at: (place) => table[place]! };
  }
  const keys = Int32Array.from({ length: ROUNDS }, (_, round) => hashNumbers(seed, epoch, ...extra, length, round));
  return { length, at: feistel(length, keys) };
}

/**
 * Numbers of `bits` bits, of which at most half lie beyond the length, are two halves; each round changes one by a hash of the
 * other, which can be undone whatever the hash is. Numbers beyond the length are sent on: every cycle that leaves comes back.
 */
function feistel(length: number, keys: Int32Array): (place: number) => number {
  let bits = 0;
  while (2 ** bits < length) bits++;
  const low = bits >> 1;
  const size = 2 ** low;
  const [highMask, lowMask] = [2 ** (bits - low) - 1, size - 1];
  if (bits < 31) {
    // The same in 32-bit arithmetic, for engines to which a division is dear.
    return (place) => {
      let number = place | 0;
      do {
        let high = number >> low;
        let rest = number & lowMask;
        for (let round = 0; round < ROUNDS; round += 2) {
          high ^= scramble(rest ^ keys[round]!) & highMask;
          rest ^= scramble(high ^ keys[round + 1]!) & lowMask;
        }
        number = (high << low) | rest;
      } while (number >= length);
      return number;
    };
  }
  return (place) => {
    let number = place;
    do {
      let high = Math.floor(number / size) | 0;
      let rest = (number - high * size) | 0;
      for (let round = 0; round < ROUNDS; round += 2) {
        high ^= scramble(rest ^ keys[round]!) & highMask;
        rest ^= scramble(high ^ keys[round + 1]!) & lowMask;
      }
      number = high * size + rest;
    } while (number >= length);
    return number;
  };
}

/** A hash of 32 bits. */
function scramble(bits: number): number {
  let h = bits;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return h ^ (h >>> 15);
}
