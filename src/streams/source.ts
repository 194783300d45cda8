import type { AnySampleType } from "../schema/sample.ts";
import type { Budget } from "./budget.ts";
import type { Chunk } from "./chunk.ts";
import type { Faults } from "./faults.ts";
import type { Json, OperatorSpec, Stage } from "./operator.ts";
import type { Choice } from "./pick.ts";
import type { Plan } from "./plan.ts";
import type { Meter } from "./progress.ts";
import type { Share } from "./share.ts";
import type { CombinedProgress, Restart, Trace } from "./trace.ts";

/** The order in which a source is asked for its samples: shards permuted and interleaved by a seed. */
export interface Interleave {
  readonly seed: number;
  readonly epoch: number;
}

/** The order of a shuffle of all samples; `blockBytes`: of one that keeps so many bytes in memory at a time. */
export interface Permute {
  readonly seed: number;
  readonly blockBytes?: number | undefined;
}

/** One pass over a source. */
export interface SourceRequest {
  /** Samples before this position are passed over. */
  readonly from: number;
  /** Where it was left: for sources with more to keep than a position. Absent: the start. */
  readonly resume: Restart | undefined;
  /** Number of the pass. */
  readonly epoch: number;
  /** The positions to read; those of other ranks are passed over. */
  readonly share: Share;
  /** Absent: the stored order. */
  readonly interleave: Interleave | undefined;
  /** Asked of sources that {@link Source.permutes} only. */
  readonly permute: (Permute & { readonly epoch: number }) | undefined;
  readonly faults: Faults;
  readonly signal: AbortSignal;
  /** Where to count what is read. */
  readonly meter?: Meter | undefined;
  /** Absent: memory is not limited. */
  readonly budget?: Budget | undefined;
}

/** How encoded samples are wanted. */
export interface DecodeRequest {
  /** Fields that somebody needs, in the order of the type. */
  readonly fields: readonly string[];
  readonly layout: "rows" | "columns";
  /** With columns: the batch that each chunk of them is made for. Absent: chunks are as they come. */
  readonly batch: OperatorSpec["batch"];
  readonly faults: Faults;
  /** Absent: memory is not limited. */
  readonly budget?: Budget | undefined;
}

/** The last step of a source. What needs no look into samples may happen before it. */
export interface Decoder {
  /** Whether it can make columns. */
  readonly columns: boolean;
  open(request: DecodeRequest): Stage;
}

/** The number of samples of one shard. */
export interface SampleCount {
  readonly shard: string;
  readonly samples: number;
}

/** How samples are stored, as far as a forecast of a shuffle must know. */
export interface SourceLayout {
  readonly samples: number;
  /** Samples of each shard. */
  readonly counts: readonly number[];
  /** Bytes of all samples, as they are stored. */
  readonly bytes: number;
  /** Whether a windowed shuffle takes shards in turn. */
  readonly isInterleaved: boolean;
  shardOf(number: number): number;
  /** Bytes of one sample. */
  spanOf(number: number): number;
}

/** A plan that is an input of a combined source; without an epoch of its own it has that of the pass. */
export interface InputPlan extends Omit<Plan, "epoch"> {
  readonly epoch: number | undefined;
}

/** A sample as a shard holds it. */
export interface StoredFiles {
  readonly key: string;
  /** The bytes of each file, by extension. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
  readonly origin: { readonly shard: string; readonly index: number };
}

/** Where samples come from. Reading it again gives the same samples, unless it says otherwise (`SOURCE_CONSUMED`). */
export interface Source<out T = unknown> {
  /** As in `explain()`: `shards`. */
  readonly name: string;
  readonly type: AnySampleType | undefined;
  /** Only a type: what its samples are. */
  readonly "~sample"?: T;
  /** What tells it apart from other sources in a plan's fingerprint: names and sizes, no folder, no host. */
  describe(): Promise<Json>;
  /** The plans that it combines, where it does. A resumed run may have more of them, so that they are not in its fingerprint. */
  readonly inputs?: readonly InputPlan[] | undefined;
  /** With {@link inputs}: what else may differ in a resumed run, as plain data. */
  readonly changeable?: Json | undefined;
  /** With {@link inputs}: what a pass goes by that was left at `start`, with what differs since. */
  resumed?(combined: CombinedProgress, start: number): CombinedProgress;
  /** Reads the samples, numbered from 0 in the order asked for. They may have to be decoded. */
  read(request: SourceRequest): AsyncIterable<Chunk>;
  /** Makes samples of what {@link read} gives; absent where it gives samples. */
  readonly decoder?: Decoder | undefined;
  /** How many samples each shard has, in stored order; one entry without a name where there are none. Absent: nobody knows. */
  countByShard?(): Promise<readonly SampleCount[] | undefined>;
  /** Whether a sample may fail while it is read, so that it has a number and is not given; of those with a decoder, before that. */
  readonly mayFail?: boolean;
  /** Whether it can be read in the order of a shuffle of all samples. */
  readonly permutes?: boolean;
  /** The same source with only some of its samples; absent where it cannot be read at any place. */
  pick?(pick: Choice): Source<T>;
  /** How its samples are stored; absent where that is not known. */
  layout?(signal?: AbortSignal): Promise<SourceLayout>;
  /** The number of the first sample with a key. */
  find?(key: string, signal?: AbortSignal): Promise<number | undefined>;
  /** Plain data that makes the same source elsewhere; absent where its samples are in the memory of this thread. */
  address?(): Promise<Json>;
  /** Addresses of the shards, in stored order; absent where there are none. */
  listShards?(): Promise<readonly string[]>;
  /** How many samples there are, where that is known without reading them. */
  count?(): Promise<number | undefined>;
  /** Bytes of all shards as they are stored, where known. */
  size?(): Promise<number | undefined>;
  /** One sample as {@link read} would give it, from the files that it was stored in; absent where samples come from no files. */
  restore?(files: StoredFiles, trace: Trace): Chunk | Promise<Chunk>;
  /** The same source with only these shards. */
  only?(shards: readonly string[]): Source<T>;
}
