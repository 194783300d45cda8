import type { SampleCount } from "./source.ts";
import type { Origin } from "./trace.ts";

/** Neighbouring samples of a shard, by index: `from` up to, and without, `to`. */
export type Interval = readonly [from: number, to: number];

/** A ledger as plain data. */
export interface LedgerRecord {
  readonly version: 1;
  /** What was handed out of each shard; of each output of `flatMap` by itself. */
  readonly shards: readonly {
    readonly shard: string;
    readonly part: number;
    readonly delivered: readonly Interval[];
    readonly repeated: readonly Interval[];
    /** Samples handed out once more on purpose, by `{ even: "pad" }`. */
    readonly padded: number;
  }[];
}

/**
 * A record of what runs handed out: `run({ ledger })` writes it, {@link verifyLedger} reads it. Those of several ranks, and of
 * the runs before and after a resume, are merged to one.
 *
 * @example
 * ```ts
 * const numbers = fromArray([1, 2, 3]);
 * const ledger = new Ledger();
 * await numbers.take(2).toArray({ ledger });
 * (await verifyLedger(ledger, numbers)).missing; // [{ shard: "", from: 2, to: 3 }]
 * ```
 */
export class Ledger {
  readonly #shards = new Map<string, Entry[]>();

  /** An empty one, or what {@link toJSON} gave. */
  constructor(saved?: LedgerRecord) {
    if (saved === undefined) return;
    if (saved.version !== 1) throw new TypeError("Cannot open a ledger: this is none of version 1");
    for (const { shard, part, delivered, repeated, padded } of saved.shards) {
      const entry = this.#entry(shard, part);
      for (const [from, to] of delivered) for (let i = from; i < to; i++) entry.delivered.add(i);
      for (const [from, to] of repeated) for (let i = from; i < to; i++) entry.repeated.add(i);
      entry.padded = padded;
    }
  }

  /** All that several ledgers hold; what two of them hold was handed out twice. */
  static merge(ledgers: readonly Ledger[]): Ledger {
    const merged = new Ledger();
    for (const ledger of ledgers) {
      for (const [shard, parts] of ledger.#shards) {
        parts.forEach((from, part) => {
          const into = merged.#entry(shard, part);
          for (const i of from.delivered) (into.delivered.has(i) ? into.repeated : into.delivered).add(i);
          for (const i of from.repeated) into.repeated.add(i);
          into.padded += from.padded;
        });
      }
    }
    return merged;
  }

  /** Notes that a sample was handed out. */
  record({ shard, index, part, padded }: Origin): void {
    const entry = this.#entry(shard, part);
    if (padded === true) entry.padded++;
    else (entry.delivered.has(index) ? entry.repeated : entry.delivered).add(index);
  }

  #entry(shard: string, part: number): Entry {
    const parts = this.#shards.get(shard) ?? [];
    this.#shards.set(shard, parts);
    while (parts.length <= part) parts.push({ delivered: new IndexSet(), repeated: new IndexSet(), padded: 0 });
    return parts[part]!;
  }

  /** What was handed out of a shard, at least one output of each sample, and what was more than once. */
  of(shard: string): { readonly delivered: readonly Interval[]; readonly repeated: readonly Interval[] } {
    const [delivered, repeated] = [new IndexSet(), new IndexSet()];
    for (const entry of this.#shards.get(shard) ?? []) {
      for (const i of entry.delivered) delivered.add(i);
      for (const i of entry.repeated) repeated.add(i);
    }
    return { delivered: delivered.intervals(), repeated: repeated.intervals() };
  }

  get shards(): readonly string[] {
    return [...this.#shards.keys()];
  }

  toJSON(): LedgerRecord {
    const shards = [...this.#shards].flatMap(([shard, parts]) =>
      parts.map(({ delivered, repeated, padded }, part) => ({
        shard,
        part,
        delivered: delivered.intervals(),
        repeated: repeated.intervals(),
        padded,
      })),
    );
    return { version: 1, shards };
  }
}

interface Entry {
  readonly delivered: IndexSet;
  readonly repeated: IndexSet;
  padded: number;
}

/** Whole numbers, a bit each: shuffled samples come in no order that intervals would like. */
class IndexSet implements Iterable<number> {
  #words = new Uint32Array(8);

  has(i: number): boolean {
    return (((this.#words[i >>> 5] ?? 0) >>> (i & 31)) & 1) === 1;
  }

  add(i: number): void {
    const word = i >>> 5;
    if (word >= this.#words.length) {
      const words = new Uint32Array(Math.max(word + 1, 2 * this.#words.length));
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[word]! |= 1 << (i & 31);
  }

  *[Symbol.iterator](): Generator<number, undefined> {
    for (let word = 0; word < this.#words.length; word++) {
      if (this.#words[word] === 0) continue;
      for (let i = word << 5; i < (word + 1) << 5; i++) if (this.has(i)) yield i;
    }
  }

  intervals(): Interval[] {
    const intervals: [number, number][] = [];
    for (const i of this) {
      const last = intervals.at(-1);
      if (last?.[1] === i) last[1] = i + 1;
      else intervals.push([i, i + 1]);
    }
    return intervals;
  }
}

/** Neighbouring samples of a shard. */
export interface SampleRange {
  readonly shard: string;
  readonly from: number;
  /** Behind the last one. */
  readonly to: number;
}

/** What a ledger says about a dataset. */
export interface LedgerReport {
  /** Whether each sample was handed out once. */
  readonly complete: boolean;
  readonly missing: readonly SampleRange[];
  readonly repeated: readonly SampleRange[];
  /** What was handed out and is not in the dataset. */
  readonly unknown: readonly SampleRange[];
}

/**
 * Compares a ledger with what there is. Samples that the plan itself leaves out, by `filter`, `take` or `onError: "skip"`, are
 * missing too.
 */
export async function verifyLedger(
  ledger: Ledger,
  dataset: { countByShard(): Promise<readonly SampleCount[]> },
): Promise<LedgerReport> {
  const missing: SampleRange[] = [];
  const repeated: SampleRange[] = [];
  const unknown: SampleRange[] = [];
  const counts = await dataset.countByShard();
  for (const { shard, samples } of counts) {
    const entry = ledger.of(shard);
    let next = 0;
    for (const [from, to] of entry.delivered) {
      if (from > next) missing.push({ shard, from: next, to: Math.min(from, samples) });
      if (to > samples) unknown.push({ shard, from: Math.max(from, samples), to });
      next = to;
    }
    if (next < samples) missing.push({ shard, from: next, to: samples });
    for (const [from, to] of entry.repeated) repeated.push({ shard, from, to });
  }
  const known = new Set(counts.map(({ shard }) => shard));
  for (const shard of ledger.shards) {
    if (!known.has(shard)) for (const [from, to] of ledger.of(shard).delivered) unknown.push({ shard, from, to });
  }
  return { complete: missing.length + repeated.length + unknown.length === 0, missing, repeated, unknown };
}
