import { PipelineError, type PipelineErrorFacts } from "../errors.ts";
import { collectGarbage } from "../runtime/collect-garbage.ts";
import { parseByteSize, showByteSize } from "./byte-size.ts";
import { CHUNK_BYTES } from "./chunk.ts";

/**
 * How a budget is shared out. What is left over, and a quarter of the budget more, is for what waits for the garbage collector:
 * fresh samples and batches that nobody holds any more.
 */
const HELD = 1 / 2;
const AHEAD = 1 / 8;
const WINDOWS = 1 / 16;
const FRESH = 1 / 4;

/**
 * The memory that one run may take. What must be held (a sample that is read, a block of a shuffle, a batch) has a part of it,
 * and fails where that does not do. Whether it does depends on the data and never on timing, as each holder counts with the most
 * it ever held. What merely goes ahead of the consumer has another part, and goes less far ahead.
 */
export class Budget {
  readonly bytes: number;
  readonly #holders = new Map<object, Holder>();
  /** What was opened for each input of a mix. */
  readonly #opened = new Map<object, { readonly keys: readonly object[]; readonly ahead: number }>();
  #ahead = 0;
  #fresh = 0;

  constructor(memory: string | number) {
    this.bytes = parseByteSize("memory", memory);
  }

  /** Bytes of all read windows of a source together, as long as no sample is larger than its window. */
  get windows(): number {
    return Math.floor(this.bytes * WINDOWS);
  }

  /** Bytes of all that must be held. */
  get held(): number {
    return Math.floor(this.bytes * HELD);
  }

  /** The account of a stage that will hold `samples` samples at once. `key`: those who give the same one share it. */
  holder(stage: string, samples: number, key: object = {}): Holder {
    return this.#account(key, () => new Holder(stage, samples, 0, this));
  }

  /** The account of a stage that holds chunks, which never have more than one sample beyond {@link CHUNK_BYTES}. */
  chunkHolder(stage: string, key: object = {}): Holder {
    return this.#account(key, () => new Holder(stage, 1, CHUNK_BYTES, this));
  }

  #account(key: object, make: () => Holder): Holder {
    const holder = this.#holders.get(key) ?? make();
    this.#holders.set(key, holder);
    return holder;
  }

  /** Opens stages; what was opened for the same input before, which starts over, is closed and counts no more. */
  reopen<R>(input: object, open: () => R): R {
    const { keys = [], ahead = 0 } = this.#opened.get(input) ?? {};
    for (const key of keys) this.#holders.delete(key);
    this.#ahead -= ahead;
    const before = { keys: new Set(this.#holders.keys()), ahead: this.#ahead };
    const opened = open();
    const made = [...this.#holders.keys()].filter((key) => !before.keys.has(key));
    this.#opened.set(input, { keys: made, ahead: this.#ahead - before.ahead });
    return opened;
  }

  /** For a stage that goes ahead of the consumer: how many bytes it may be ahead. Asked for when all stages are open. */
  goesAhead(): () => number {
    this.#ahead++;
    return () => Math.floor((this.bytes * AHEAD) / this.#ahead);
  }

  /** Memory was found for samples that are given away: when it is much, what became of those before is collected. */
  gaveAway(bytes: number): void {
    this.#fresh += bytes;
    if (this.#fresh < this.bytes * FRESH) return;
    this.#fresh = 0;
    collectGarbage();
  }

  /** Bytes that are held, or were. */
  get taken(): number {
    let taken = 0;
    for (const holder of this.#holders.values()) taken += holder.most;
    return taken;
  }

  /** The smallest budget that does, when samples of stages that have seen none are of `sampleBytes`. */
  leastFor(sampleBytes: number): number {
    let held = 0;
    for (const holder of this.#holders.values()) held += holder.expected(sampleBytes);
    return Math.ceil(held / HELD / 1e6) * 1e6;
  }
}

/** What one stage holds. */
export class Holder {
  readonly stage: string;
  readonly #samples: number;
  readonly #besides: number;
  readonly #budget: Budget;
  #most = 0;
  #sampleBytes = 0;

  constructor(stage: string, samples: number, besides: number, budget: Budget) {
    this.stage = stage;
    this.#samples = samples;
    this.#besides = besides;
    this.#budget = budget;
  }

  /** The most it ever held. */
  get most(): number {
    return this.#most;
  }

  /** What it will hold when it is full; a sample of `sampleBytes` may be to come. */
  expected(sampleBytes: number): number {
    return Math.max(this.#most, this.#besides + sampleBytes, this.#samples * (this.#sampleBytes || sampleBytes));
  }

  /**
   * Says that the stage holds so many bytes now, of so many samples.
   *
   * @throws {PipelineError} `BUDGET_TOO_SMALL`
   */
  hold(bytes: number, samples: number, facts: PipelineErrorFacts = {}): void {
    if (bytes <= this.#most) return;
    this.#most = bytes;
    this.#sampleBytes = bytes / samples;
    if (this.#budget.taken > this.#budget.held) throw this.#tooSmall(facts);
  }

  #tooSmall(facts: PipelineErrorFacts): PipelineError {
    const { stage } = this;
    const budget = this.#budget;
    const samples = this.#samples;
    const bytes = Math.ceil(Math.max(this.#most, samples * this.#sampleBytes));
    const least = budget.leastFor(this.#sampleBytes);
    const what = samples === 1 ? "a sample takes" : `${samples} samples take`;
    return new PipelineError(
      "BUDGET_TOO_SMALL",
      `Cannot ${stage}: ${what} about ${showByteSize(bytes)}, and the memory of ${showByteSize(budget.bytes)} has room for ` +
        `${showByteSize(budget.held)} in all stages together`,
      {
        ...facts,
        stage,
        bytes,
        least,
        hint: `run with { memory: "${least / 1e6}MB" } or more${samples === 1 ? "" : `, or ${stage} fewer samples at once`}`,
      },
    );
  }
}
