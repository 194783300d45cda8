import type { Dataset } from "../dataset.ts";
import { dataset, fromJsonLines, rawSamples } from "../open-dataset.ts";
import { operatorAt } from "../operators/operator-at.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { type SampleTypeJson, typeFromJson } from "../schema/type-json.ts";
import { quarantine } from "../sinks/quarantine.ts";
import { shardWriter, type WrittenShards } from "../sinks/shard-writer.ts";
import { removeFiles } from "../storage/files.ts";
import { rowsOf } from "../streams/chunk.ts";
import type { WorkContext } from "../streams/executor.ts";
import type { ErrorPolicies, ErrorPolicy } from "../streams/faults.ts";
import type { Json } from "../streams/operator.ts";
import type { Sink } from "../streams/sink.ts";
import { type TaskAddress, taskAt } from "../streams/task.ts";
import { hashOfKey } from "../tar/key-hash.ts";
import { StatisticsCollector } from "./field-statistics.ts";
import { quarantinePath, type ShardStats, statsPath, writeStats } from "./shard-stats.ts";

/** What becomes of what cannot be converted. */
export type JobPolicy = "raise" | "skip" | "quarantine";

/** The conversion of one shard, as plain data: what any thread, process or machine can do that sees both places. */
export type ShardUnit = {
  readonly input: string;
  readonly output: string;
  /** Names the input among those of the job; its random numbers come from it. */
  readonly name: string;
  readonly members: "msgpack" | "files" | "lines";
  readonly type: SampleTypeJson | null;
  readonly steps: readonly UnitStep[];
  readonly onError: { readonly sample: JobPolicy; readonly shard: JobPolicy; readonly maxConsecutive: number | null };
  /** Goes into the statistics. */
  readonly madeOf: Json;
};

/** An operator with its task, as it is found elsewhere. */
export type UnitStep = { readonly name: "map" | "flatMap"; readonly options: Json; readonly task: TaskAddress };

/** How far a unit has come. */
export type UnitProgress = { readonly samples: number; readonly bytes: number };

const TELL_MS = 200;

/**
 * Converts one shard: reads it, runs the task, writes the output with its index, and at the very end its statistics. It does not
 * ask what is there; killed at any moment, it leaves no statistics, and is done once more.
 */
export async function convertShard(unit: ShardUnit, { signal, tell }: WorkContext): Promise<ShardStats> {
  const { output } = unit;
  await removeFiles([statsPath(output), quarantinePath(output)]);
  const plan = await planOf(unit);
  const run = plan.run({
    signal,
    onError: policiesOf(unit),
    progressEveryMs: TELL_MS,
    onProgress: ({ samples, bytes }) => tell({ samples, bytes } satisfies UnitProgress),
  });
  const { sink, statistics } = measured(shardWriter(output, { index: true, digest: true, overwrite: true }));
  const { shards } = await run.pipeTo(sink);
  const { skippedSamples, skippedShards, quarantinedSamples, quarantinedShards } = run.summary;
  if (quarantinedSamples + quarantinedShards === 0) await removeFiles([quarantinePath(output)]);
  const [{ samples, file }] = shards as [WrittenShards["shards"][0]];
  const stats: ShardStats = {
    version: 1,
    samples,
    ...file!,
    fields: statistics().fields,
    skippedSamples,
    skippedShards,
    quarantinedSamples,
    quarantinedShards,
    madeOf: unit.madeOf,
  };
  await writeStats(output, stats);
  return stats;
}

async function planOf({ input, name, members, type: given, steps }: ShardUnit): Promise<Dataset<unknown>> {
  const type = given === null ? undefined : typeFromJson(given);
  let plan = open([input], members, type, steps.length > 0);
  for (const { name: operator, task, options } of steps) {
    plan = plan.pipeThrough(operatorAt(operator, { options, task }, await taskAt(task)) as never);
  }
  // Random numbers go by epoch and place: so those of two shards differ, whoever converts them.
  return plan.epoch(hashOfKey(name) % 2 ** 32);
}

function open(
  input: readonly string[],
  members: ShardUnit["members"],
  type: AnySampleType | undefined,
  isLookedInto: boolean,
): Dataset<unknown> {
  if (members === "lines") return fromJsonLines(input, type);
  if (type !== undefined) return dataset(input, type, { members });
  if (members === "msgpack") return dataset(input);
  return isLookedInto ? dataset(input, { members }) : rawSamples(input);
}

function policiesOf({ output, onError: { sample, shard, maxConsecutive } }: ShardUnit): ErrorPolicies {
  // Opened by a run when it begins, and not here.
  const kept = quarantine(quarantinePath(output));
  const policy = (name: JobPolicy): ErrorPolicy => (name === "quarantine" ? kept : name);
  return { sample: policy(sample), shard: policy(shard), ...(maxConsecutive !== null && { maxConsecutive }) };
}

/** The same sink, with statistics of what it is given. */
function measured<T, R>(of: Sink<T, R>): { readonly sink: Sink<T, R>; readonly statistics: () => StatisticsCollector } {
  let statistics = new StatisticsCollector(undefined);
  const sink: Sink<T, R> = {
    name: of.name,
    async open(context) {
      statistics = new StatisticsCollector(context.type);
      const opened = await of.open(context);
      return {
        async write(chunk) {
          await opened.write(chunk);
          statistics.add(rowsOf(chunk));
        },
        close: () => opened.close(),
        abort: (reason) => opened.abort(reason),
      };
    },
  };
  return { sink, statistics: () => statistics };
}
