import type { AnySampleType } from "../schema/sample.ts";
import type { Budget } from "./budget.ts";
import type { Chunk } from "./chunk.ts";
import type { Faults } from "./faults.ts";
import type { ShuffleOrder } from "./order.ts";
import { openPair, type Pair } from "./pair.ts";
import type { Permute } from "./source.ts";
import type { TaskAddress } from "./task.ts";

/** Plain data. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How an operator is made again elsewhere: by its name, and this. */
export interface OperatorAddress {
  readonly options: Json;
  /** The task that it works with. */
  readonly task?: TaskAddress | undefined;
}

/** What a stage is told about the run it belongs to. */
export interface StageContext {
  /** Number of the pass over the data; shuffles differ from epoch to epoch. */
  readonly epoch: number;
  /** The stage's place among those that shape what comes out, from 0. */
  readonly nth: number;
  /** How the rows of its segment are ordered behind it; for a shuffle, what it has to do. */
  readonly order: ShuffleOrder | undefined;
  /** The type of the samples that come in, where it is known. */
  readonly type: AnySampleType | undefined;
  readonly faults: Faults;
  readonly signal: AbortSignal;
  /** Absent: memory is not limited. */
  readonly budget?: Budget | undefined;
}

/**
 * An operator at work in one run: chunks in, chunks out, in order. It may hold back, join and split chunks; what matters is the
 * sequence of rows. Leaving the output early ends the input too, as `for await` does by itself.
 */
export type Stage = (chunks: AsyncIterable<Chunk>) => AsyncIterable<Chunk>;

/**
 * How an operator changes the order keys of a plan (see `docs/guarantees.md`): `each` keeps them, `flat` numbers several
 * outputs of an input, `shuffle` orders blocks anew, `batch` joins neighbours, `count` goes by the number of the item, so
 * that items are counted from its place on.
 */
export type OperatorRole = "each" | "flat" | "shuffle" | "batch" | "count";

/** What an operator is made of. */
export interface OperatorSpec {
  /** As in `explain()` and in errors: `map`. */
  readonly name: string;
  readonly role?: OperatorRole;
  /** What tells two uses apart in the plan's fingerprint. */
  readonly options?: Json;
  /** The rawest form of chunk that it can work on. Each form includes those after it. @default "rows" */
  readonly works?: "records" | "columns" | "rows";
  /** Whether rows may be left out; those with the role `count` are told by it. @default false */
  readonly drops?: boolean;
  /** It says how to work and not what comes out: no part of the plan's fingerprint. @default false */
  readonly tuning?: boolean;
  /** Role `count`: the number that its first input gets. @default 0 */
  readonly countFrom?: number;
  /** No row can fail at it. @default false */
  readonly safe?: boolean;
  /** The only fields that come out. */
  readonly selects?: readonly string[];
  /** The fields it looks at; absent: maybe all of them. */
  readonly reads?: readonly string[];
  /** Role `shuffle`: how it orders. */
  readonly shuffle?: { readonly seed: number; readonly window: number };
  /** It is done by the source, which reads in this order. */
  readonly permute?: Permute;
  /** Each row that goes in comes out as one row: what is picked before it is what would be picked behind it. */
  readonly oneToOne?: boolean;
  /** Role `batch`: how it joins. */
  readonly batch?: { readonly size: number; readonly recycle: boolean } | undefined;
  /** Where an executor finds it. Absent: it works on the calling thread. */
  readonly address?: OperatorAddress | undefined;
  /** The type of what comes out. Absent: that of what comes in. */
  typeOf?(type: AnySampleType | undefined): AnySampleType | undefined;
  open(context: StageContext): Stage;
}

/**
 * One step of a pipeline. The same value is used in a plan, any number of times (`dataset.pipeThrough(operator)`), and once as
 * a pair of Web Streams (`stream.pipeThrough(operator)`), where items are samples, one a chunk.
 */
export class Operator<in I, out O> implements ReadableWritablePair<O, I> {
  /** Read by the planner. */
  readonly spec: OperatorSpec;
  #pair: Pair<I, O> | undefined;

  constructor(spec: OperatorSpec) {
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  /** What comes out, as a Web Stream. Made, with {@link writable}, when one of the two is first touched. */
  get readable(): ReadableStream<O> {
    return this.#open().readable;
  }

  /** Where to write what goes in. */
  get writable(): WritableStream<I> {
    return this.#open().writable;
  }

  #open(): Pair<I, O> {
    this.#pair ??= openPair<I, O>([this.spec]);
    if (!this.#pair.over) return this.#pair;
    throw new TypeError(`Cannot use this ${this.name} as a stream again: make another one, with ${this.name}(…)`);
  }
}
