import type { AnySampleType } from "../schema/sample.ts";
import type { Chunk } from "./chunk.ts";
import type { Faults } from "./faults.ts";
import type { Json, Stage } from "./operator.ts";
import type { Share } from "./share.ts";

/** The order in which a source is asked for its samples: shards permuted and interleaved by a seed. */
export interface Interleave {
  readonly seed: number;
  readonly epoch: number;
}

/** One pass over a source. */
export interface SourceRequest {
  /** Samples before this position are passed over. */
  readonly from: number;
  /** The positions to read; those of other ranks are passed over. */
  readonly share: Share;
  /** Absent: the stored order. */
  readonly interleave: Interleave | undefined;
  readonly faults: Faults;
  readonly signal: AbortSignal;
}

/** How encoded samples are wanted. */
export interface DecodeRequest {
  /** Fields that somebody needs, in the order of the type. */
  readonly fields: readonly string[];
  readonly layout: "rows" | "columns";
  /** With columns: rows of each chunk but the last. Absent: as they come. */
  readonly size: number | undefined;
  /** With columns of a size: whether they are given back with `release()`, rather than kept by the user. */
  readonly recycle: boolean;
  readonly faults: Faults;
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

/** Where samples come from. Reading it again gives the same samples, unless it says otherwise (`SOURCE_CONSUMED`). */
export interface Source<out T = unknown> {
  /** As in `explain()`: `shards`. */
  readonly name: string;
  readonly type: AnySampleType | undefined;
  /** Only a type: what its samples are. */
  readonly "~sample"?: T;
  /** What tells it apart from other sources in a plan's fingerprint: names and sizes, no folder, no host. */
  describe(): Promise<Json>;
  /** Reads the samples, numbered from 0 in the order asked for. They may have to be decoded. */
  read(request: SourceRequest): AsyncIterable<Chunk>;
  /** Makes samples of what {@link read} gives; absent where it gives samples. */
  readonly decoder?: Decoder | undefined;
  /** How many samples each shard has, in stored order; one entry without a name where there are none. Absent: nobody knows. */
  counts?(): Promise<readonly SampleCount[] | undefined>;
  /** Plain data that makes the same source elsewhere; absent where its samples are in the memory of this thread. */
  address?(): Promise<Json>;
  /** Addresses of the shards, in stored order; absent where there are none. */
  listShards?(): Promise<readonly string[]>;
  /** The same source with only these shards. */
  only?(shards: readonly string[]): Source<T>;
}
