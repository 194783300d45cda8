import { PipelineError } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { untilAborted } from "../streams/abort.ts";
import { type Chunk, rowChunk } from "../streams/chunk.ts";
import type { Json } from "../streams/operator.ts";
import type { Source, SourceRequest } from "../streams/source.ts";
import { SourceTrace } from "../streams/trace.ts";

/** Samples handed on at a time, where they are there without waiting. */
const CHUNK_ROWS = 256;

/** Anything that can be gone through. */
export type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/**
 * Samples of something iterable, or of a function that makes it anew for each pass. What can be gone through once only
 * (a generator, a stream) is read once; the second pass is the error `SOURCE_CONSUMED`.
 */
export class IterableSource<T> implements Source<T> {
  readonly name: string;
  readonly type: AnySampleType | undefined;
  readonly #from: AnyIterable<T> | (() => AnyIterable<T>);
  #consumed = false;

  constructor(name: string, from: AnyIterable<T> | (() => AnyIterable<T>), type: AnySampleType | undefined) {
    this.name = name;
    this.#from = from;
    this.type = type;
  }

  describe(): Promise<Json> {
    return Promise.resolve(Array.isArray(this.#from) ? this.#from.length : null);
  }

  count(): Promise<number | undefined> {
    return Promise.resolve(Array.isArray(this.#from) ? this.#from.length : undefined);
  }

  async *read({ from, signal, meter }: SourceRequest): AsyncGenerator<Chunk> {
    const numbered = (rows: readonly unknown[], first: number): Chunk => {
      if (meter !== undefined) meter.samples += rows.length;
      return numberedChunk(rows, first);
    };
    const samples = this.#open();
    if (Array.isArray(samples)) {
      for (let first = from; first < samples.length; first += CHUNK_ROWS) {
        yield numbered(samples.slice(first, first + CHUNK_ROWS), first);
      }
      return;
    }
    const iterator = Symbol.asyncIterator in samples ? samples[Symbol.asyncIterator]() : samples[Symbol.iterator]();
    let position = 0;
    let rows: T[] = [];
    try {
      for (;;) {
        let next = iterator.next();
        if (next instanceof Promise) {
          // What is there is handed on before waiting for more.
          if (rows.length > 0) {
            yield numbered(rows, position - rows.length);
            rows = [];
          }
          next = await untilAborted(next, signal);
        }
        if (next.done === true) break;
        if (position++ < from) continue;
        if (rows.push(next.value) < CHUNK_ROWS) continue;
        yield numbered(rows, position - rows.length);
        rows = [];
      }
      if (rows.length > 0) yield numbered(rows, position - rows.length);
    } finally {
      // Not awaited after an abort: a source that does not answer must not keep the run from ending.
      const closed = iterator.return?.();
      if (closed instanceof Promise) {
        closed.catch(() => {});
        if (!signal.aborted) await closed;
      }
    }
  }

  #open(): AnyIterable<T> {
    const samples = typeof this.#from === "function" ? this.#from() : this.#from;
    if (typeof this.#from !== "function" && isOneShot(samples)) {
      if (this.#consumed) {
        throw new PipelineError(
          "SOURCE_CONSUMED",
          `Cannot read ${this.name} again: what it reads can be gone through once only`,
          {
            hint: "pass a function that makes it anew: fromIterable(() => makeSamples())",
          },
        );
      }
      this.#consumed = true;
    }
    return samples;
  }
}

/** An iterator that gives itself as its iterator has no beginning to go back to; a stream neither. */
function isOneShot(samples: AnyIterable<unknown>): boolean {
  if (samples instanceof ReadableStream) return true;
  return "next" in samples && typeof samples.next === "function";
}

function numberedChunk(rows: readonly unknown[], first: number): Chunk {
  return rowChunk(
    rows,
    new SourceTrace(first, (row) => ({ shard: "", index: first + row, key: String(first + row), part: 0 })),
  );
}
