import { misuse } from "../errors.ts";
import { type Chunk, slice } from "../streams/chunk.ts";
import { Operator } from "../streams/operator.ts";

/**
 * The first `count` items; reading stops there.
 *
 * @throws {RangeError} If `count` is not a whole number >= 0.
 * @example
 * ```ts
 * await fromArray([1, 2, 3]).take(2).toArray(); // [1, 2]
 * ```
 */
export function take<T>(count: number): Operator<T, T> {
  checkCount("take", count);
  return new Operator({
    name: "take",
    role: "count",
    works: "records",
    options: count,
    open: () =>
      async function* (chunks) {
        if (count === 0) return;
        for await (const chunk of chunks) {
          const end = firstFrom(chunk, count);
          if (end > 0) yield slice(chunk, 0, end);
          if (end < chunk.length || chunk.trace.position(end - 1) === count - 1) return;
        }
      },
  });
}

/**
 * All items but the first `count`.
 *
 * @throws {RangeError} If `count` is not a whole number >= 0.
 * @example
 * ```ts
 * await fromArray([1, 2, 3]).skip(2).toArray(); // [3]
 * ```
 */
export function skip<T>(count: number): Operator<T, T> {
  checkCount("skip", count);
  return new Operator({
    name: "skip",
    role: "count",
    works: "records",
    options: count,
    // The items that stay are numbered from 0.
    countFrom: -count,
    open: () =>
      async function* (chunks) {
        for await (const chunk of chunks) {
          const skipped = firstFrom(chunk, 0);
          if (skipped < chunk.length) yield slice(chunk, skipped, chunk.length);
        }
      },
  });
}

/** The first row of a chunk whose number is `number` or larger; numbers grow, by more than one where ranks share them. */
function firstFrom({ trace, length }: Chunk, number: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (trace.position(middle) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkCount(name: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw misuse(new RangeError(`Cannot ${name} items: count must be a whole number >= 0, not ${count}`));
  }
}
