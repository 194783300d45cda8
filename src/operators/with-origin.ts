import { rowChunk, rowsOf } from "../streams/chunk.ts";
import { Operator } from "../streams/operator.ts";
import type { Origin } from "../streams/trace.ts";

/** A sample and where it comes from. */
export interface WithOrigin<T> {
  readonly sample: T;
  readonly origin: Origin;
}

/** Puts each sample together with where it comes from: shard, index, key, part. */
export function withOrigin<T>(): Operator<T, WithOrigin<T>> {
  return new Operator({
    name: "withOrigin",
    safe: true,
    typeOf: () => undefined,
    open: () =>
      async function* (chunks) {
        for await (const chunk of chunks) {
          const { trace } = chunk;
          yield rowChunk(
            rowsOf(chunk).map((sample, row) => ({ sample, origin: trace.origin(row) })),
            trace,
          );
        }
      },
  });
}
