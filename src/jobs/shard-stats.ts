import { builtin } from "../runtime/runtime.ts";
import { createFile } from "../storage/byte-writer.ts";
import { digestOfFile } from "../storage/digest.ts";
import type { Json } from "../streams/operator.ts";
import { indexPath } from "../tar/shard-index.ts";
import type { FieldStatistics } from "./field-statistics.ts";

/** What lies beside a shard that a job made, as `{shard}.stats.json`: the last of its files to appear, so that it vouches for them. */
export type ShardStats = {
  readonly version: 1;
  readonly samples: number;
  /** Bytes of the file, and its SHA-256 in hex. */
  readonly bytes: number;
  readonly sha256: string;
  readonly fields: { readonly [name: string]: FieldStatistics };
  readonly skippedSamples: number;
  readonly skippedShards: number;
  readonly quarantinedSamples: number;
  readonly quarantinedShards: number;
  /** Of what, and how, it was made: another job makes it anew. */
  readonly madeOf: Json;
};

export const statsPath = (shard: string): string => `${shard}.stats.json`;
/** Where a job puts what it could not convert of a shard. */
export const quarantinePath = (shard: string): string => `${shard}.quarantine.jsonl`;
/** Endings of all that a job writes for a shard. */
export const ENDINGS: readonly string[] = ["", ".index", ".stats.json", ".quarantine.jsonl"];

export function writeStats(shard: string, stats: ShardStats): Promise<void> {
  return writeJson(statsPath(shard), stats);
}

/** Writes a file of JSON, whole or not at all. */
export async function writeJson(path: string, value: Json): Promise<void> {
  const file = await createFile(path);
  try {
    await file.write(new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/**
 * The statistics of a shard that is there, whole, and made of just that; undefined where it has to be made.
 *
 * @param verify Read the shard too, and compare its digest.
 */
export async function validStats(shard: string, madeOf: Json, verify: boolean): Promise<ShardStats | undefined> {
  const stats = await readStats(shard);
  if (stats === undefined || JSON.stringify(stats.madeOf) !== JSON.stringify(madeOf)) return undefined;
  if ((await sizeOf(shard)) !== stats.bytes || (await sizeOf(indexPath(shard))) === undefined) return undefined;
  return verify && (await digestOfFile(shard)) !== stats.sha256 ? undefined : stats;
}

async function readStats(shard: string): Promise<ShardStats | undefined> {
  try {
    const stats = JSON.parse(await builtin("fs/promises").readFile(statsPath(shard), "utf8")) as ShardStats | null;
    return stats?.version === 1 ? stats : undefined;
  } catch {
    return undefined; // not there, or cut by a machine that went down: then the shard is made again
  }
}

/** Bytes of a file; undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return builtin("fs/promises")
    .stat(path)
    .then(
      ({ size }) => size,
      () => undefined,
    );
}
