import { misuse, PipelineError } from "../errors.ts";
import { Batch } from "./batch.ts";
import { Budget } from "./budget.ts";
import { segmentsOf } from "./chain.ts";
import { type Checkpoint, checkCheckpoint, checkInputs, checkRank, deliveredBy } from "./checkpoint.ts";
import { type Chunk, rowsOf, slice } from "./chunk.ts";
import type { Executor } from "./executor.ts";
import { type ErrorPolicies, type ErrorPolicy, type FaultSummary, Faults } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { fingerprintOf, fingerprintOfInput, openPlan, openShare, type Plan, typeOfPlan } from "./plan.ts";
import type { RunProgress } from "./progress.ts";
import { checkEnvironment, type RankOptions, type Ranks, ranksOf } from "./ranks.ts";
import type { SavedRun } from "./saved-run.ts";
import type { Sink, SinkFor } from "./sink.ts";
import type { Source } from "./source.ts";
import { type Origin, type Progress, progressAt, type Trace, withCombined } from "./trace.ts";
import { RunWatch, type TimeSummary, type WatchOptions } from "./watch.ts";

/** How to pass over a dataset. */
export interface RunOptions extends RankOptions, WatchOptions {
  /** Ends the run: waiting calls reject with `signal.reason`, and nothing is delivered after it. */
  readonly signal?: AbortSignal | undefined;
  /** Where to go on: from {@link Run.checkpoint}. @default the start */
  readonly resume?: Checkpoint | undefined;
  /** What to do with errors of samples, shards and sources. @default "raise" */
  readonly onError?: ErrorPolicy | ErrorPolicies | undefined;
  /**
   * Most memory that the run may take for what it reads, decodes, shuffles, joins to batches and has ready: bytes, or text such
   * as `"256MB"`. It then goes less far ahead, and fails with `BUDGET_TOO_SMALL` where a sample, a window or a batch does not
   * fit. What you keep of what you are given does not count. Not together with an `executor`. @default no limit
   */
  readonly memory?: string | number | undefined;
  /** Where the source and the operators with an address are run, such as `threads()`. @default on the calling thread */
  readonly executor?: Executor | undefined;
  /** Where to note each sample that is handed out. @default nowhere */
  readonly ledger?: Ledger | undefined;
}

/** What a run did. */
export interface RunSummary extends FaultSummary, TimeSummary {
  /** Items handed out. */
  readonly items: number;
}

/** One pass over a dataset: what comes out, item by item. Leaving a `for await` over it early closes it. */
export class Run<T> implements AsyncIterableIterator<T, undefined>, AsyncDisposable {
  readonly #plan: Plan;
  readonly #faults: Faults;
  readonly #watch: RunWatch;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #resume: Checkpoint | undefined;
  readonly #ranks: Ranks;
  readonly #ledger: Ledger | undefined;
  readonly #budget: Budget | undefined;
  readonly #executor: Executor | undefined;
  #fingerprint: string | undefined;
  /** The fingerprint with that of all inputs, of a combined source. */
  #inputs: string | undefined;
  #chunks: AsyncIterator<Chunk> | undefined;
  #chunk: Chunk | undefined;
  #rows: readonly unknown[] = [];
  #next = 0;
  /** The row of the chunk that was handed out last. */
  #last = -1;
  #items = 0;
  /** Nothing more will come: the plan is at its end, failed, or was closed. */
  #closed = false;
  /** The plan is at its end. */
  #ended = false;
  #pending: Promise<unknown> = Promise.resolve();
  #giveUp: (reason: unknown) => void = () => {};

  readonly #requestedEpoch: number | undefined;

  constructor(plan: Plan, epoch: number | undefined, options: RunOptions) {
    const { signal, resume, onError = "raise", ledger, memory, executor } = options;
    this.#ranks = ranksOf(options);
    checkEnvironment(options);
    if (ledger !== undefined && !(ledger instanceof Ledger)) {
      throw new TypeError("Cannot run: ledger must be a Ledger, which is opened by new Ledger(saved)");
    }
    this.#ledger = ledger;
    this.#budget = memory === undefined ? undefined : new Budget(memory);
    this.#executor = executor;
    if (this.#budget !== undefined && executor !== undefined) {
      throw misuse(
        new TypeError(`Cannot run on ${executor.name} with a budget of memory: what threads hold is not counted`),
      );
    }
    this.#plan = { ...plan, epoch: resume?.epoch ?? epoch ?? 0 };
    this.#resume = resume;
    this.#requestedEpoch = epoch;
    this.#signal = signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
    this.#faults = new Faults(onError, this.#signal);
    this.#watch = new RunWatch(this.#plan, options);
    this.#signal.addEventListener("abort", () => this.#aborted(), { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next item. Calls that do not wait for one another are answered in order. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#signal.aborted) return this.#stopped();
    if (this.#next < this.#rows.length) return Promise.resolve({ done: false, value: this.#take() });
    const result = this.#pending.then(() => this.#refill());
    this.#pending = result.catch(() => {});
    return result;
  }

  #take(): T {
    this.#last = this.#next++;
    this.#items++;
    const item = this.#rows[this.#last];
    if (this.#ledger !== undefined) record(this.#ledger, item, this.#chunk!.trace, this.#last);
    return item as T;
  }

  async #refill(): Promise<IteratorResult<T, undefined>> {
    // A call that waited behind another may find its item there.
    if (this.#next < this.#rows.length) return { done: false, value: this.#take() };
    if (this.#closed) return { done: true, value: undefined };
    this.#chunks ??= await this.#open();
    // A recycled batch is valid until the next one is asked for.
    const last = this.#rows.at(-1);
    if (last instanceof Batch) last.release();
    try {
      for (;;) {
        const { done, value } = await this.#nextChunk(this.#chunks);
        this.#faults.flush();
        if (this.#signal.aborted) return this.#stopped();
        if (done === true) {
          [this.#closed, this.#ended] = [true, true];
          this.#over();
          return { done: true, value: undefined };
        }
        this.#watch.tick(this.#items);
        if (value.length === 0) continue;
        [this.#chunk, this.#rows, this.#next] = [value, rowsOf(value), 0];
        return { done: false, value: this.#take() };
      }
    } catch (error) {
      if (this.#signal.aborted) return this.#stopped();
      this.#closed = true;
      this.#over({ error });
      throw error;
    }
  }

  /** The next chunk, or the end of the wait for it when the run is aborted: a function may be under way that never returns. */
  #nextChunk(chunks: AsyncIterator<Chunk>): Promise<IteratorResult<Chunk>> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      chunks.next().then(resolve, reject);
    });
  }

  async #open(): Promise<AsyncIterator<Chunk>> {
    this.#fingerprint = await fingerprintOf(this.#plan);
    if (this.#plan.source.inputs !== undefined) this.#inputs = await fingerprintOfInput(this.#plan);
    const resume = this.#resume;
    if (resume !== undefined) {
      checkCheckpoint(resume, this.#fingerprint, this.#requestedEpoch, this.#segments);
      checkRank(resume, this.#ranks);
      if (resume.ended && !hasMoreInputs(this.#plan.source, resume.progress)) return emptyIterator;
    }
    this.#signal.throwIfAborted();
    await this.#watch.start(this.#faults);
    await this.#faults.open(this.#plan.source.type);
    const { meter, clock } = this.#watch;
    const context = {
      faults: this.#faults,
      signal: this.#signal,
      budget: this.#budget,
      meter,
      clock,
      executor: this.#executor,
    };
    if (!this.#isShared) {
      return openPlan(this.#plan, { ...context, resume: resume?.progress ?? undefined })[Symbol.asyncIterator]();
    }
    if (resume !== undefined) checkInputs(resume, this.#inputs);
    return openShare(this.#plan, this.#ranks, resume === undefined ? [] : deliveredBy(resume), context)[
      Symbol.asyncIterator
    ]();
  }

  /** Frees what the run holds at once: the caller may never ask for another item. */
  #aborted(): void {
    this.#giveUp(this.#signal.reason);
    if (!this.#abort.signal.aborted) void this.#close();
  }

  /** After an abort: the caller's reason; after {@link return}: the end. */
  async #stopped(): Promise<IteratorResult<T, undefined>> {
    if (this.#abort.signal.aborted) return { done: true, value: undefined };
    // Not waited for: what is under way notices the signal, or never ends.
    void this.#close();
    throw this.#signal.reason;
  }

  /** Nothing more will come. Twice is fine. */
  #over(failure?: { readonly error: unknown }): void {
    this.#faults.close();
    this.#watch.end(this.#items, failure);
  }

  async #close(): Promise<void> {
    [this.#rows, this.#next, this.#closed] = [[], 0, true];
    const chunks = this.#chunks;
    this.#chunks = emptyIterator;
    await chunks?.return?.()?.catch(() => {});
    this.#over();
  }

  /** Ends the run early and frees what it holds. Twice is fine. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#abort.abort(new DOMException("The run was closed", "AbortError"));
    await this.#pending;
    await this.#close();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /**
   * The place behind the last item handed out: a run with `{ resume }` goes on there with the next. Cheap enough to call after
   * each item.
   *
   * @throws {PipelineError} `CHECKPOINT_MISMATCH` before the first item was asked for, as the plan is not yet known.
   */
  checkpoint(): Checkpoint {
    const plan = this.#fingerprint ?? this.#resume?.plan;
    if (plan === undefined) {
      throw new PipelineError("CHECKPOINT_MISMATCH", "Cannot take a checkpoint: the run has not started", {
        hint: "ask for the first item before",
      });
    }
    const progress = this.#chunk === undefined ? this.#resume?.progress : progressOf(this.#chunk.trace, this.#last);
    const inputs = this.#inputs ?? this.#resume?.inputs;
    const { epoch } = this.#plan;
    const place = {
      version: 1,
      plan,
      ...(inputs && { inputs }),
      epoch,
      segments: this.#segments,
      ended: this.#ended,
    } as const;
    if (!this.#isShared) return { ...place, ...(progress && { progress }) };
    const { rank, worldSize } = this.#ranks;
    const delivered = this.#resume === undefined ? [] : deliveredBy(this.#resume);
    // Without an item of its own it is where it went on from.
    return { ...place, rank, worldSize, delivered, ...(this.#chunk && progress && { progress }) };
  }

  get #segments(): number {
    return segmentsOf(this.#plan.operators, this.#plan.epoch).length;
  }

  /** Whether several ranks take part: in this run, or in one that it goes on from. */
  get #isShared(): boolean {
    const { worldSize = 1, delivered } = this.#resume ?? {};
    return this.#ranks.worldSize > 1 || worldSize > 1 || delivered !== undefined;
  }

  /** Where the last item handed out comes from; undefined before the first. */
  get origin(): Origin | undefined {
    return this.#chunk?.trace.origin(this.#last);
  }

  /** What the run did so far. */
  get summary(): RunSummary {
    return { items: this.#items, ...this.#faults.summary, ...this.#watch.summary };
  }

  /** How far it has come. What there is in all is asked for with the first look, and known soon after. */
  get progress(): RunProgress {
    return this.#watch.progress(this.#items);
  }

  /**
   * Passes everything to a sink. When reading or writing fails, or the run is aborted, the sink leaves nothing half-written
   * behind; with `save`, it leaves what a later run goes on from. {@link summary} then tells what was skipped.
   */
  async pipeTo<R>(into: Sink<T, R> & SinkFor<T>, save?: SavedRun): Promise<R> {
    this.#watch.consumer = into.name;
    const lasting = save && { saved: save.sink };
    const sink = await into.open({ type: typeOfPlan(this.#plan), signal: this.#signal, lasting });
    try {
      if (save !== undefined && sink.save === undefined) {
        throw new TypeError(`Cannot keep a checkpoint: ${into.name} cannot be taken up again`);
      }
      for await (const chunk of this.#wholeChunks()) {
        await sink.write(chunk);
        this.#delivered(chunk);
        if (save?.isDue()) await save.write(this.checkpoint(), await sink.save!());
      }
      this.#signal.throwIfAborted();
      const report = await sink.close();
      await save?.remove();
      return report;
    } catch (error) {
      this.#over({ error });
      await this.return();
      await (save === undefined ? sink.abort(error) : sink.suspend?.());
      throw error;
    }
  }

  /** Goes to the end, and counts. */
  async count(): Promise<number> {
    try {
      for await (const chunk of this.#wholeChunks()) this.#delivered(chunk);
    } catch (error) {
      this.#over({ error });
      throw error;
    }
    return this.#items;
  }

  #delivered(chunk: Chunk): void {
    [this.#chunk, this.#last] = [chunk, chunk.length - 1];
    this.#items += chunk.length;
    this.#watch.tick(this.#items);
    if (this.#ledger === undefined) return;
    const rows = chunk.kind === "rows" ? chunk.rows : [];
    for (let row = 0; row < chunk.length; row++) record(this.#ledger, rows[row], chunk.trace, row);
  }

  async *#wholeChunks(): AsyncGenerator<Chunk, undefined> {
    if (this.#closed)
      throw new TypeError("Cannot go through a run that has ended: make another one with dataset.run()");
    this.#chunks ??= await this.#open();
    // What next() has not handed out of its chunk comes first.
    if (this.#next < this.#rows.length) {
      const rest = slice(this.#chunk!, this.#next, this.#rows.length);
      this.#rows = [];
      yield rest;
    }
    for (;;) {
      const { done, value } = await this.#nextChunk(this.#chunks);
      this.#faults.flush();
      this.#signal.throwIfAborted();
      if (done === true) break;
      if (value.length === 0) continue;
      yield value;
    }
    [this.#closed, this.#ended] = [true, true];
    this.#over();
  }
}

/** Notes a sample, or the samples of a batch. */
function record(ledger: Ledger, item: unknown, trace: Trace, row: number): void {
  if (!(item instanceof Batch)) ledger.record(trace.origin(row));
  else for (let i = 0; i < item.length; i++) ledger.record(item.origin(i));
}

/** How far a run has come, with what has to stay as it is to go on from there. */
function progressOf(trace: Trace, row: number): Progress {
  const reach = trace.reach(row);
  return withCombined(progressAt(trace, row), (combined, start) =>
    reach > start ? { ...combined, fixedTo: reach } : combined,
  );
}

/** Whether inputs were added to a combined source since: then what had come to its end goes on. */
function hasMoreInputs({ inputs = [] }: Source, progress: Progress | undefined): boolean {
  let first = progress;
  while (first?.before) first = first.before;
  const combined = first?.combined;
  const before = combined === undefined ? 0 : (combined.turns?.at(-1)?.inputs ?? inputs.length);
  return before < inputs.length;
}

const emptyIterator: AsyncIterator<Chunk> = {
  next: () => Promise.resolve({ done: true, value: undefined }),
  return: () => Promise.resolve({ done: true, value: undefined }),
};
