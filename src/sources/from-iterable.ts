import { PipelineError } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { sizeOf } from "../schema/size-of.ts";
import { untilAborted } from "../streams/abort.ts";
import { CHUNK_BYTES, type Chunk, rowChunk } from "../streams/chunk.ts";
import type { Json } from "../streams/operator.ts";
import { permutationOf } from "../streams/permutation.ts";
import { type Choice, pickFrom, wholeOrder } from "../streams/pick.ts";
import { ShareCursor } from "../streams/share.ts";
import type { SampleCount, Source, SourceRequest } from "../streams/source.ts";
import { SourceTrace } from "../streams/source-trace.ts";

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

  async counts(): Promise<readonly SampleCount[] | undefined> {
    return Array.isArray(this.#from) ? [{ shard: "", samples: this.#from.length }] : undefined;
  }

  /** Lists can be read at any place. */
  get pick(): ((pick: Choice) => IterableSource<T>) | undefined {
    const samples = this.#from;
    if (!Array.isArray(samples)) return undefined;
    return (pick) => {
      const order = pickFrom(wholeOrder(samples.length), pick);
      const picked = Array.from({ length: order.length }, (_, place) => samples[order.at(place)] as T);
      return new IterableSource<T>(this.name, picked, this.type);
    };
  }

  get permutes(): boolean {
    return Array.isArray(this.#from);
  }

  count(): Promise<number | undefined> {
    return Promise.resolve(Array.isArray(this.#from) ? this.#from.length : undefined);
  }

  async *read({ from, share, permute, signal, meter, budget }: SourceRequest): AsyncGenerator<Chunk> {
    const numbered = (rows: readonly unknown[], first: number, stored?: Int32Array): Chunk => {
      if (meter !== undefined) meter.samples += rows.length;
      return numberedChunk(rows, first, stored);
    };
    const samples = this.#open();
    if (Array.isArray(samples)) {
      const order = permute && permutationOf(samples.length, permute.seed, permute.epoch);
      for (let first = from; ; ) {
        const range = share.next(first);
        if (range === undefined || range.from >= samples.length) return;
        first = Math.min(range.from + CHUNK_ROWS, range.to, samples.length);
        if (order === undefined) {
          yield numbered(samples.slice(range.from, first), range.from);
          continue;
        }
        const rows = Int32Array.from({ length: first - range.from }, (_, i) => order.at(range.from + i));
        const picked = Array.from(rows, (row) => samples[row] as T);
        yield numbered(picked, range.from, rows);
      }
    }
    const mine = new ShareCursor(share, from);
    const iterator = Symbol.asyncIterator in samples ? samples[Symbol.asyncIterator]() : samples[Symbol.iterator]();
    let position = 0;
    let rows: T[] = [];
    let bytes = 0;
    const holder = budget?.chunkHolder("read", this);
    try {
      while (!mine.ended) {
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
        if (!mine.has(position++)) {
          if (rows.length > 0) yield numbered(rows, position - 1 - rows.length);
          rows = [];
          continue;
        }
        rows.push(next.value);
        if (holder !== undefined) {
          bytes = rows.length === 1 ? sizeOf(next.value) : bytes + sizeOf(next.value);
          holder.hold(bytes, rows.length);
        }
        if (rows.length < CHUNK_ROWS && bytes < CHUNK_BYTES) continue;
        yield numbered(rows, position - rows.length);
        [rows, bytes] = [[], 0];
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

/** `stored`: where the rows stand in the list, if not one behind the other from `first` on. */
function numberedChunk(rows: readonly unknown[], first: number, stored?: Int32Array): Chunk {
  return rowChunk(
    rows,
    new SourceTrace(first, (row) => {
      const index = stored?.[row] ?? first + row;
      return { shard: "", index, key: String(index), part: 0 };
    }),
  );
}
