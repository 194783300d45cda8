import { connect, segmentsOf } from "./chain.ts";
import { type Chunk, rowChunk, rowsOf } from "./chunk.ts";
import { Faults } from "./faults.ts";
import type { OperatorSpec } from "./operator.ts";
import { SourceTrace } from "./source-trace.ts";

/** Two ends of a stage as Web Streams. */
export interface Pair<I, O> {
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
  /** It has come to its end, and cannot be used again. */
  readonly over: boolean;
}

/** A stage came to its end before what is written to it. */
export class WantsNoMore extends TypeError {}

/** Most items that one chunk takes from what was written meanwhile. */
const CHUNK_ROWS = 256;

/**
 * Runs operators between two Web Streams, one item a chunk at both ends. Writing waits while the stages are busy, reading
 * while there is nothing; cancelling the readable fails the writable, so that whoever writes stops.
 */
export function openPair<I, O>(specs: readonly OperatorSpec[]): Pair<I, O> {
  if (specs.some((spec) => spec.permute !== undefined)) {
    throw new TypeError("Cannot shuffle all samples of a stream: pass a window, as in shuffle({ window: 10_000 })");
  }
  const abort = new AbortController();
  let waiting: { readonly item: I; readonly taken: () => void }[] = [];
  let ended = false;
  let arrived: () => void = () => {};

  async function* written(): AsyncGenerator<Chunk> {
    for (let first = 0; ; ) {
      abort.signal.throwIfAborted();
      if (waiting.length > 0) {
        const taken = waiting.splice(0, CHUNK_ROWS);
        const from = first;
        first += taken.length;
        for (const { taken: resolve } of taken) resolve();
        yield rowChunk(
          taken.map(({ item }) => item),
          new SourceTrace(from, (row) => ({ shard: "", index: from + row, key: String(from + row), part: 0 })),
        );
      } else if (ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
    }
  }

  const faults = new Faults("raise", abort.signal);
  const context = { epoch: 0, faults, signal: abort.signal, resume: undefined };
  const chunks = connect(written(), segmentsOf(specs, 0), undefined, context)[Symbol.asyncIterator]();
  /** Lets go of whoever writes or waits. */
  const stop = (reason: unknown): void => {
    over = true;
    abort.abort(reason);
    for (const { taken } of waiting) taken();
    waiting = [];
    arrived();
  };
  const end = (reason: unknown): void => {
    stop(reason);
    writer.error(reason);
  };
  let over = false;
  let writer: WritableStreamDefaultController;
  let ready: readonly unknown[] = [];
  let next = 0;

  const readable = new ReadableStream<O>(
    {
      async pull(controller) {
        try {
          while (next === ready.length) {
            const { done, value } = await chunks.next();
            if (done === true) {
              controller.close();
              over = true;
              if (!ended) end(new WantsNoMore("Cannot write: the stage wants no more"));
              return;
            }
            [ready, next] = [rowsOf(value), 0];
          }
          controller.enqueue(ready[next++] as O);
        } catch (error) {
          end(error);
          throw error;
        }
      },
      async cancel(reason) {
        end(reason ?? new DOMException("The stream was cancelled", "AbortError"));
        await chunks.return?.(undefined).catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<I>({
    start(controller) {
      writer = controller;
    },
    write(item) {
      return new Promise<void>((taken) => {
        waiting.push({ item, taken });
        arrived();
      });
    },
    close() {
      ended = true;
      arrived();
    },
    abort: stop,
  });
  return {
    readable,
    writable,
    get over() {
      return over;
    },
  };
}
