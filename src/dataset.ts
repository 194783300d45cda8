import type { DictSample } from "./codec/dict-sample.ts";
import { misuse } from "./errors.ts";
import type { Predicate, PredicateBuilder, UntypedPredicateBuilder } from "./manifest/predicate.ts";
import { type BatchOptions, batch } from "./operators/batch.ts";
import { filter } from "./operators/filter.ts";
import { type FlatMapOptions, flatMap } from "./operators/flat-map.ts";
import { type MapOptions, map } from "./operators/map.ts";
import { prefetch } from "./operators/prefetch.ts";
import { select } from "./operators/select.ts";
import { type ShuffleOptions, shuffle } from "./operators/shuffle.ts";
import { skip, take } from "./operators/take.ts";
import { tap } from "./operators/tap.ts";
import { where } from "./operators/where.ts";
import { type WithOrigin, withOrigin } from "./operators/with-origin.ts";
import type { Untyped } from "./schema/field.ts";
import type { AnySampleType } from "./schema/sample.ts";
import type { Batch } from "./streams/batch.ts";
import { type Explanation, explainPlan } from "./streams/explain.ts";
import { Operator } from "./streams/operator.ts";
import { WantsNoMore } from "./streams/pair.ts";
import type { Choice } from "./streams/pick.ts";
import { type Plan, permuteOf, typeOfPlan, withoutDecoding } from "./streams/plan.ts";
import type { SampleInfo } from "./streams/rows.ts";
import { Run, type RunOptions } from "./streams/run.ts";
import type { SaveOptions } from "./streams/saved-run.ts";
import type { ShuffleForecast } from "./streams/shuffle-forecast.ts";
import type { Sink, SinkFor } from "./streams/sink.ts";
import type { InputPlan, SampleCount, Source } from "./streams/source.ts";
import type { TaskFunction, Work } from "./streams/task.ts";

/** The plan of a dataset that is to be the input of another; for what builds on datasets. */
export let inputPlanOf: (dataset: Dataset<unknown>) => InputPlan;

/**
 * A plan: where samples come from, and what is done with them. Immutable; every method that adds a step gives a longer plan.
 * Nothing is read before it is gone through, and it can be gone through as often as you like (`for await`, {@link run},
 * {@link stream}, {@link pipeTo}).
 *
 * @example
 * ```ts
 * const photos = dataset("photos-{000000..000001}.tar", Photo);
 * for await (const batch of photos.shuffle({ window: 1_000, seed: 42 }).batch(32)) console.log(batch.column("label"));
 * ```
 */
export class Dataset<T> implements AsyncIterable<T> {
  static {
    inputPlanOf = (dataset) => ({ ...dataset.#plan, epoch: dataset.#epoch });
  }

  readonly #source: Source;
  readonly #operators: readonly Operator<never, unknown>[];
  /** Absent: 0, or that of a checkpoint. */
  readonly #epoch: number | undefined;

  /** For new kinds of sources; the functions that make datasets are `dataset`, `fromArray` and the other `from…`. */
  constructor(source: Source<T>, operators: readonly Operator<never, unknown>[] = [], epoch?: number) {
    this.#source = source as Source;
    this.#operators = operators;
    this.#epoch = epoch;
  }

  get #plan(): Plan {
    return {
      source: this.#source,
      operators: this.#operators.map((operator) => operator.spec),
      epoch: this.#epoch ?? 0,
    };
  }

  /** The type of the samples, where it is known: `map` and `flatMap` lose it unless they are told one. */
  get type(): AnySampleType | undefined {
    return typeOfPlan(this.#plan);
  }

  /** A longer plan; or, with any other pair of Web Streams, a run through it. */
  pipeThrough<O>(operator: Operator<T, O>): Dataset<O>;
  pipeThrough<O>(pair: ReadableWritablePair<O, T>, options?: StreamPipeOptions): ReadableStream<O>;
  pipeThrough<O>(
    next: Operator<T, O> | ReadableWritablePair<O, T>,
    options?: StreamPipeOptions,
  ): Dataset<O> | ReadableStream<O> {
    if (!(next instanceof Operator)) return this.stream().pipeThrough(next, options);
    const longer = new Dataset<O>(
      this.#source as Source<O>,
      [...this.#operators, next as Operator<never, unknown>],
      this.#epoch,
    );
    // Wrong field names, and a shuffle that cannot be, are told here, where they are written.
    void longer.type;
    void permuteOf(longer.#plan);
    return longer;
  }

  /** Each sample replaced by what a function makes of it; see {@link map}. */
  // Functions apart from tasks: in a union, generic ones would not be inferred.
  map<O>(fn: TaskFunction<T, O | Promise<O>>, options?: MapOptions<O>): Dataset<O>;
  map<O>(task: Work<T, O | Promise<O>>, options?: MapOptions<O>): Dataset<O>;
  map<O>(work: Work<T, O | Promise<O>>, options?: MapOptions<O>): Dataset<O> {
    return this.pipeThrough(map(work, options));
  }

  /** Each sample replaced by all that a function gives for it; see {@link flatMap}. */
  flatMap<O>(
    work: Work<T, Iterable<O> | AsyncIterable<O> | Promise<Iterable<O>>>,
    options?: FlatMapOptions<O>,
  ): Dataset<O> {
    return this.pipeThrough(flatMap(work, options));
  }

  /** The samples for which a function says true; see {@link filter}. */
  filter<S extends T>(keep: (sample: T, info: SampleInfo) => sample is S): Dataset<S>;
  filter(keep: Work<T, boolean>): Dataset<T>;
  filter(keep: Work<T, boolean>): Dataset<T> {
    return this.pipeThrough(filter(keep));
  }

  /** The samples for which a condition on their fields holds; see {@link where}. */
  where(this: Dataset<DictSample>, condition: Predicate | UntypedPredicateBuilder): Dataset<T>;
  where(condition: Predicate | PredicateBuilder<T>): Dataset<T>;
  where(condition: Predicate | PredicateBuilder<never>): Dataset<T> {
    return this.pipeThrough(where<T>(condition as Predicate | PredicateBuilder<T>));
  }

  /** The samples with only some of their fields; see {@link select}. */
  select<K extends string>(this: Dataset<DictSample>, ...fields: readonly K[]): Dataset<Record<K, Untyped>>;
  select<K extends keyof T & string>(...fields: readonly K[]): Dataset<Pick<T, K>>;
  select(...fields: readonly string[]): Dataset<never> {
    return this.pipeThrough(select<Record<string, never>, string>(...fields) as never);
  }

  /** The samples in a seeded order; see {@link shuffle}. */
  shuffle(options: ShuffleOptions): Dataset<T> {
    return this.pipeThrough(shuffle<T>(options));
  }

  /** Samples joined to batches; see {@link batch}. */
  batch(size: number, options?: BatchOptions): Dataset<Batch<T>> {
    return this.pipeThrough(batch<T>(size, options));
  }

  /** The first `count` items; see {@link take}. */
  take(count: number): Dataset<T> {
    return this.pipeThrough(take<T>(count));
  }

  /** All items but the first `count`; see {@link skip}. */
  skip(count: number): Dataset<T> {
    return this.pipeThrough(skip<T>(count));
  }

  /** Looks at each sample as it passes; see {@link tap}. */
  tap(look: (sample: T, info: SampleInfo) => void): Dataset<T> {
    return this.pipeThrough(tap(look));
  }

  /** Reads ahead; see {@link prefetch}. */
  prefetch(chunks: number): Dataset<T> {
    return this.pipeThrough(prefetch<T>(chunks));
  }

  /** Each sample together with where it comes from. */
  withOrigin(): Dataset<WithOrigin<T>> {
    return this.pipeThrough(withOrigin<T>());
  }

  /** The same plan for another pass: shuffles differ from epoch to epoch. @default 0 */
  epoch(epoch: number): Dataset<T> {
    if (!Number.isSafeInteger(epoch) || epoch < 0) {
      throw misuse(new RangeError(`Cannot set the epoch: it must be a whole number >= 0, not ${epoch}`));
    }
    return new Dataset(this.#source as Source<T>, this.#operators, epoch);
  }

  /** One pass, with a checkpoint after each item; see {@link Run}. */
  run(options: RunOptions = {}): Run<T> {
    return new Run<T>(this.#plan, this.#epoch, options);
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this.run();
  }

  /** One pass as a Web Stream. Cancelling it frees what the pass holds. */
  stream(options?: RunOptions): ReadableStream<T> {
    const run = this.run(options);
    return new ReadableStream<T>(
      {
        async pull(controller) {
          const { done, value } = await run.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await run.return();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /**
   * Passes everything to a sink, or to any `WritableStream`. When reading or writing fails, or the run is aborted, the sink
   * leaves nothing half-written behind. With `{ checkpoint: path }` output and checkpoint are saved together on the way, and
   * the same call after a crash, a kill or an abort goes on where they were.
   */
  pipeTo<R>(sink: Sink<T, R> & SinkFor<T>, options?: RunOptions & SaveOptions): Promise<R>;
  pipeTo(writable: WritableStream<T>, options?: RunOptions & StreamPipeOptions): Promise<void>;
  async pipeTo<R>(
    into: Sink<T, R> | WritableStream<T>,
    options: RunOptions & SaveOptions & StreamPipeOptions = {},
  ): Promise<R | undefined> {
    if (typeof into !== "object" || into === null || !(into instanceof WritableStream || "open" in into)) {
      throw misuse(
        new TypeError("Cannot pipe a dataset: give it a sink, such as shardWriter(pattern), or a WritableStream"),
      );
    }
    if (into instanceof WritableStream) {
      if (options.checkpoint !== undefined) {
        throw new TypeError("Cannot keep a checkpoint: a WritableStream cannot be taken up again; give a sink");
      }
      try {
        await this.stream(options).pipeTo(into, options);
      } catch (error) {
        // `take(3).writable` has its three.
        if (!(error instanceof WantsNoMore)) throw error;
      }
      return undefined;
    }
    const sink = into as Sink<T, R> & SinkFor<T>;
    if (options.checkpoint === undefined) return this.run(options).pipeTo(sink);
    if (options.resume !== undefined) {
      throw new TypeError("Cannot resume from two places: give the file of the checkpoint, or { resume }");
    }
    const { SavedRun } = await import("./streams/loaded-later.ts");
    const save = await SavedRun.open(options.checkpoint, options.checkpointEveryMs);
    return this.run({ ...options, resume: save.checkpoint }).pipeTo(sink, save);
  }

  /**
   * The sample at a place in stored order, from 0 on, or from the end for a negative one; undefined where there is none. Only its
   * bytes are read: its place comes from the offset indexes beside the shards ({@link ShardWriterOptions.index}), or from a scan of
   * the shards, once, where there are none.
   *
   * @throws {TypeError} If there is another operator than `select` and `map`, or a source that cannot be read at any place.
   * @throws {PipelineError} `UNSUPPORTED` for compressed shards; `INDEX_STALE` for a shard that is not the one of its index.
   * @example
   * ```ts
   * const photos = dataset("photos-{000000..000001}.tar", Photo);
   * const last = await photos.at(-1);
   * ```
   */
  async at(place: number, options?: Pick<RunOptions, "signal">): Promise<T | undefined> {
    if (!Number.isSafeInteger(place))
      throw misuse(new RangeError(`Cannot take at(${place}): it must be a whole number`));
    const [sample] = await this.#pick("at", slice(place, place === -1 ? undefined : place + 1)).toArray(options);
    return sample;
  }

  /** The first sample with a key, in stored order; undefined where there is none. Otherwise as {@link at}. */
  async get(key: string, options?: Pick<RunOptions, "signal">): Promise<T | undefined> {
    if (typeof key !== "string")
      throw misuse(new TypeError(`Cannot get a sample: its key must be text, not ${typeof key}`));
    this.#checkPick("get");
    const { find, name } = this.#source;
    if (find === undefined)
      throw misuse(new TypeError(`Cannot use get on ${name}: its samples have no keys; use dataset(pattern)`));
    const place = await find.call(this.#source, key, options?.signal);
    return place === undefined ? undefined : this.at(place, options);
  }

  /**
   * The samples from one place in stored order to another, which is not part of them; as `Array.slice`, and read as by {@link at}.
   * They are numbered from 0 for the operators behind.
   *
   * @example
   * ```ts
   * const photos = dataset("photos-{000000..000001}.tar", Photo);
   * const [held, train] = [photos.slice(0, 10), photos.slice(10)];
   * ```
   */
  slice(from = 0, to?: number): Dataset<T> {
    return this.#pick("slice", slice(from, to));
  }

  /** `count` samples by chance, each at most once, in stored order: the same ones for the same seed. Read as by {@link at}. */
  sample(count: number, seed = 0): Dataset<T> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw misuse(new RangeError(`Cannot sample: count must be a whole number >= 0, not ${count}`));
    }
    if (!Number.isSafeInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw misuse(new RangeError(`Cannot sample: seed must be a whole number from 0 to 2^32 - 1, not ${seed}`));
    }
    return this.#pick("sample", { kind: "sample", count, seed });
  }

  #checkPick(what: string): void {
    const operator = this.#operators.find(({ spec }) => spec.oneToOne !== true);
    if (operator === undefined) return;
    throw misuse(new TypeError(`Cannot use ${what} behind ${operator.name}: only select and map may stand before it`));
  }

  #pick(what: string, choice: Choice): Dataset<T> {
    this.#checkPick(what);
    const { name } = this.#source;
    const source = this.#source.pick?.(choice);
    if (source === undefined) {
      throw misuse(
        new TypeError(`Cannot use ${what} on ${name}: it cannot be read at any place, as shards and lists can`),
      );
    }
    return new Dataset<T>(source as Source<T>, this.#operators, this.#epoch);
  }

  /** All items, in memory. */
  toArray(options?: RunOptions): Promise<T[]> {
    return Array.fromAsync(this.run(options));
  }

  /** The first `n` items. */
  head(n = 5): Promise<T[]> {
    return this.take(n).toArray();
  }

  /**
   * How many items there are. Goes through all of them; of samples of shards right behind the source, none is decoded, so that
   * those are counted too that would not decode and that going through them would fail at or skip.
   */
  async count(options?: RunOptions): Promise<number> {
    return new Run<T>(withoutDecoding(this.#plan), this.#epoch, options ?? {}).count();
  }

  /** Addresses of the shards, after patterns are expanded; empty where samples come from elsewhere. */
  async listShards(): Promise<readonly string[]> {
    return (await this.#source.listShards?.()) ?? [];
  }

  /**
   * How many samples each shard has; one entry without a name where samples come from an array.
   *
   * @throws {TypeError} If the source does not know, as with iterables and JSON lines.
   */
  async countByShard(): Promise<readonly SampleCount[]> {
    const counts = await this.#source.countByShard?.();
    if (counts !== undefined) return counts;
    throw new TypeError(`Cannot count by shard: ${this.#source.name} does not know how many samples there are`);
  }

  /** Each shard as a dataset of its own, with the same steps; see {@link listShards}. */
  get shards(): AsyncIterable<Dataset<T>> {
    const source = this.#source;
    if (source.inputs !== undefined) {
      throw new TypeError(`Cannot give the shards of ${source.name} one by one: ask the datasets that it is made of`);
    }
    const [operators, epoch] = [this.#operators, this.#epoch];
    if (source.listShards !== undefined && source.only === undefined) {
      throw new TypeError("Cannot take apart a slice or a sample into shards: take the shards first");
    }
    return {
      async *[Symbol.asyncIterator]() {
        for (const url of (await source.listShards?.()) ?? []) {
          yield new Dataset<T>(source.only!([url]) as Source<T>, operators, epoch);
        }
      },
    };
  }

  /** What a run will do, and why: the steps in order, what is decoded, how, and with an executor, where. Prints well. */
  explain({ executor }: Pick<RunOptions, "executor"> = {}): Explanation {
    return explainPlan(this.#plan, executor);
  }

  /**
   * How well the first shuffle of the plan will mix, worked out from the counts of the shards: shards in a batch and in 256
   * samples, neighbours that stay so, the mean way of a sample, bytes read. Prints well.
   *
   * @throws {TypeError} If it is not known how the samples are stored, as of anything but shards.
   * @example
   * ```ts
   * const photos = dataset("photos-{000000..000001}.tar", Photo);
   * console.log(String(await photos.shuffle({ window: 1_000 }).explainShuffle()));
   * ```
   */
  async explainShuffle({ signal }: Pick<RunOptions, "signal"> = {}): Promise<ShuffleForecast> {
    const { layout, name } = this.#source;
    if (layout === undefined)
      throw new TypeError(`Cannot forecast a shuffle of ${name}: it is not known how it is stored`);
    const { forecastShuffle } = await import("./streams/loaded-later.ts");
    return forecastShuffle(this.#plan, await layout.call(this.#source, signal));
  }
}

function slice(from: number, to: number | undefined): Choice {
  for (const place of [from, to ?? 0]) {
    if (!Number.isSafeInteger(place)) throw new RangeError(`Cannot slice: places must be whole numbers, not ${place}`);
  }
  return { kind: "slice", from, to: to ?? null };
}
