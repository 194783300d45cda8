import { misuse } from "../errors.ts";
import type { Chunk } from "../streams/chunk.ts";
import { Operator } from "../streams/operator.ts";

/**
 * Reads ahead: up to `chunks` chunks (some 256 samples each, or one batch each behind `batch`) are made ready while the
 * consumer is busy. Of use where the stages before it wait for something: a network, an async `map`.
 *
 * @throws {RangeError} If `chunks` is not a whole number from 1 to 10,000.
 * @example
 * ```ts
 * await fromArray([1, 2, 3]).prefetch(2).toArray(); // [1, 2, 3]
 * ```
 */
export function prefetch<T>(chunks: number): Operator<T, T> {
  if (!Number.isInteger(chunks) || chunks < 1 || chunks > 10_000) {
    throw misuse(new RangeError(`Cannot prefetch: chunks must be a whole number from 1 to 10,000, not ${chunks}`));
  }
  return new Operator({
    name: "prefetch",
    tuning: true,
    safe: true,
    open: () => (input) => readAhead(kept(input), chunks),
  });
}

/** Several chunks are there at a time. */
async function* kept(input: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  for await (const chunk of input) {
    chunk.trace.keep();
    yield chunk;
  }
}

async function* readAhead(input: AsyncIterable<Chunk>, depth: number): AsyncGenerator<Chunk> {
  const iterator = input[Symbol.asyncIterator]();
  const ahead: Promise<IteratorResult<Chunk>>[] = [];
  try {
    for (;;) {
      while (ahead.length < depth) {
        const next = iterator.next();
        // Its error is seen when its turn comes.
        next.catch(() => {});
        ahead.push(next);
      }
      const { done, value } = await ahead.shift()!;
      if (done === true) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}
