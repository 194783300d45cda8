import { misuse } from "../errors.ts";
import type { SampleTypeOf } from "../schema/sample.ts";
import type { SampleSink } from "../streams/sink.ts";
import type { Origin } from "../streams/trace.ts";
import type { WrittenShard } from "./shard-file.ts";

export interface ShardWriterOptions<T = unknown> {
  /** Most samples of a shard, a whole number >= 1. @default no limit */
  readonly samplesPerShard?: number;
  /** Most bytes of a shard on disk before compression, headers included; a larger sample has a shard to itself. @default no limit */
  readonly bytesPerShard?: number;
  /** The key of each sample. @default that of its origin, or the sample's number in nine digits */
  readonly key?: (sample: T, origin: Origin) => string;
  /** The type to write, where the dataset has none. @default that of the dataset */
  readonly type?: SampleTypeOf<T>;
  /**
   * Write the offset index of each shard beside it, as `{shard}.index`: 16 bytes a sample, by which samples are read at any place
   * (`at`, `get`, `slice`, `sample`, `shuffle` without a window) and resuming goes straight to its place. @default false
   */
  readonly index?: boolean;
  /** Tell the SHA-256 and the size of each file in the report. @default false */
  readonly digest?: boolean;
  /** Replace shards of the same pattern that are there, all of them. @default false: it is an error that there are any */
  readonly overwrite?: boolean;
}

/** What a shard writer wrote. */
export interface WrittenShards {
  readonly shards: readonly WrittenShard[];
  readonly samples: number;
  readonly bytes: number;
}

/**
 * Writes samples to tar shards, which appear when all of them are written. The pattern has a place for the number (`train-%06d.tar`);
 * one without gets it before its ending where a limit is set, and names the only shard where none is. `.tar.gz` and `.tar.zst`
 * are compressed. The same samples always make the same bytes.
 *
 * @example
 * ```ts
 * const points = fromArray(Point, [{ x: 1, y: 2 }, { x: 3, y: 4 }]);
 * const written = await points.pipeTo(shardWriter("points-%06d.tar", { samplesPerShard: 1_000 }));
 * written.samples; // 2
 * ```
 */
export function shardWriter<T>(pattern: string, options: ShardWriterOptions<T> = {}): SampleSink<T, WrittenShards> {
  for (const [name, limit] of Object.entries({
    samplesPerShard: options.samplesPerShard,
    bytesPerShard: options.bytesPerShard,
  })) {
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
      throw misuse(new RangeError(`Cannot write shards: ${name} must be a whole number >= 1, not ${limit}`));
    }
  }
  return {
    name: "shardWriter",
    takesBatches: false,
    open: async (context) => {
      const { OpenShardWriter } = await import("./loaded-later.ts");
      return OpenShardWriter.open(pattern, options as ShardWriterOptions, context);
    },
  };
}
