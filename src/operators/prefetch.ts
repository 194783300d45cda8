import { misuse } from "../errors.ts";
import { sizeOfRows } from "../schema/size-of.ts";
import { type Chunk, rowsOf } from "../streams/chunk.ts";
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
    open: ({ budget }) => {
      const limit = budget?.goesAhead();
      return (input) => (limit === undefined ? readAhead(kept(input), chunks) : readWithin(kept(input), chunks, limit));
    },
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

/** Reads ahead as long as what is ready, and one more such chunk, takes no more than `limit` bytes. */
async function* readWithin(input: AsyncIterable<Chunk>, depth: number, limit: () => number): AsyncGenerator<Chunk> {
  const iterator = input[Symbol.asyncIterator]();
  const ready: { readonly result: IteratorResult<Chunk>; readonly bytes: number }[] = [];
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let under: Promise<void> | undefined;
  let bytes = 0;
  let recent = Number.POSITIVE_INFINITY; // how large chunks are is not known before the first
  const pull = (): void => {
    under = iterator.next().then(
      (result) => {
        under = undefined;
        ended = result.done === true;
        recent = ended ? 0 : sizeOfRows(rowsOf(result.value as Chunk));
        bytes += recent;
        ready.push({ result, bytes: recent });
        goOn();
      },
      (error: unknown) => {
        under = undefined;
        failure = { error };
      },
    );
  };
  /** The next chunk, if there is room for it. */
  const goOn = (): void => {
    const stopped = ended || failure !== undefined || under !== undefined;
    if (!stopped && ready.length < depth && bytes + recent <= limit()) pull();
  };
  try {
    for (;;) {
      while (ready.length === 0) {
        if (failure !== undefined) throw failure.error;
        if (under === undefined) pull();
        await under;
      }
      const { result, bytes: taken } = ready.shift()!;
      if (result.done === true) return;
      bytes -= taken;
      goOn();
      yield result.value;
    }
  } finally {
    ended = true;
    await iterator.return?.();
  }
}
