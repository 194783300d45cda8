import { misuse, PipelineError } from "../errors.ts";
import { flatMap } from "../operators/flat-map.ts";
import { map } from "../operators/map.ts";
import { builtin } from "../runtime/runtime.ts";
import type { SampleTypeOf } from "../schema/sample.ts";
import { typeToJson } from "../schema/type-json.ts";
import { shownAddress } from "../storage/address.ts";
import { removeFiles } from "../storage/files.ts";
import { expandPattern } from "../storage/patterns.ts";
import type { Executor } from "../streams/executor.ts";
import { isTask, type Task, taskAt } from "../streams/task.ts";
import { convertShard, type JobPolicy, type ShardUnit, type UnitProgress, type UnitStep } from "./convert-shard.ts";
import { stampOf, stampOfTask } from "./input-stamp.ts";
import { type ConvertedShard, type JobReport, jobErrorOf, reportOf } from "./job-report.ts";
import { type JobProgress, JobWatch } from "./job-watch.ts";
import { isLines, outputsOf, stemOf } from "./output-names.ts";
import { type ShardStats, sizeOf, validStats, writeJson } from "./shard-stats.ts";
import { sweep } from "./sweep.ts";

/** What to do with shards, and how. */
export interface ConvertOptions<T = unknown> {
  /** Makes one sample of each; without `{ output }` of the task, samples of bytes only can be written. @default samples stay as they are */
  readonly map?: Task<T, unknown> | undefined;
  /** Makes any number of samples of each, in place of `map`. */
  readonly flatMap?: Task<T, Iterable<unknown> | AsyncIterable<unknown> | Promise<Iterable<unknown>>> | undefined;
  /** The type of the samples that are read. @default untyped */
  readonly type?: SampleTypeOf<T> | undefined;
  /** What a sample is: its msgpack file, or all files of its key. Lines of JSON (.jsonl, .ndjson) need no such. @default "msgpack" */
  readonly members?: "msgpack" | "files" | undefined;
  /** Where shards are converted, such as `threads()`: as many at a time as it has lanes. @default the calling thread, one by one */
  readonly executor?: Executor | undefined;
  /** Make anew what is there and is not whole, or of another input or task. @default false: that is an error */
  readonly resume?: boolean | undefined;
  /** Make everything anew. @default false: what is there, whole and of the same input and task, is kept */
  readonly overwrite?: boolean | undefined;
  /** Read what is there, and compare digests, before it is kept. @default false: sizes are compared */
  readonly verify?: boolean | undefined;
  /**
   * What to do with an error: end the job with it; leave out what it spoiled; or also put that into `{shard}.quarantine.jsonl`
   * beside the output, which `replay` reads. @default "raise"
   */
  readonly onError?: JobPolicy | JobPolicies | undefined;
  /** Where the report is put as JSON. @default "job.json" in the folder of the outputs */
  readonly report?: string | undefined;
  /** Is told how far the job has come, a few times a second. */
  readonly onProgress?: ((progress: JobProgress) => void) | undefined;
  /** Ends the job: what is under way is dropped, what is done stays. */
  readonly signal?: AbortSignal | undefined;
}

/** Policies by what an error spoils; see `ErrorPolicies`. @default "raise" for each */
export interface JobPolicies {
  readonly sample?: JobPolicy;
  readonly shard?: JobPolicy;
  /** A shard fails when so many of its samples do one after another. @default 100 */
  readonly maxConsecutive?: number;
}

/**
 * Converts shards, or files of JSON lines, to as many shards, each with its offset index (`{shard}.index`) and statistics
 * (`{shard}.stats.json`: counts, bytes, SHA-256, range and nulls of each field). The bytes depend on the input and the task, and
 * not on where the work is done. Every file appears under its name when it is whole. A job that is run again does only what is
 * missing; after a kill, with `resume`.
 *
 * @param input Shards, as for `dataset`, or .jsonl files.
 * @param output A folder, or a path such as `out/small-*.tar.zst`, where `*` stands for the name of the input.
 * @throws {TypeError} If two inputs would have one output, or a closure is given for a task.
 * @throws {PipelineError} `SHARD_UNWRITABLE` if something else is there.
 * @example
 * ```ts no-run
 * import { convert } from "shardstream/jobs";
 *
 * const report = await convert("photos-*.tar", "packed/*.tar.zst", { type: Photo });
 * console.log(report.samples, report.shards[0]?.sha256);
 * ```
 */
export async function convert<T = never>(
  input: string | readonly string[],
  output: string,
  options: ConvertOptions<T> = {},
): Promise<JobReport> {
  const { executor, resume = false, overwrite = false, verify = false, signal, onProgress } = options;
  if (executor !== undefined && executor.work === undefined) {
    throw misuse(new TypeError(`Cannot convert on ${executor.name}: it runs parts of plans, and no jobs`));
  }
  const startedAt = performance.now();
  const units = await unitsOf(input, output, options as ConvertOptions<unknown>);
  const { dirname, join } = builtin("path");
  const reportPath = options.report ?? join(dirname(units[0]!.output), "job.json");
  await sweep([...units.map((unit) => unit.output), reportPath]);
  const shards = new Map<ShardUnit, ConvertedShard>();
  const todo: PlannedUnit[] = [];
  for (const unit of units) {
    signal?.throwIfAborted();
    const stats = overwrite ? undefined : await validStats(unit.output, unit.madeOf, verify);
    if (stats !== undefined) shards.set(unit, shardOf(unit, stats));
    else if (resume || overwrite || (await sizeOf(unit.output)) === undefined) todo.push(unit);
    else throw isThere(unit.output);
  }
  // Of an earlier job: it would speak of files that are about to change.
  await removeFiles([reportPath]);
  const watch = new JobWatch(new Map(todo.map(({ input: from, bytes }) => [from, bytes])), shards.size, onProgress);
  const failures: { readonly unit: ShardUnit; readonly error: unknown }[] = [];
  const stop = new AbortController();
  const ended = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const queue = todo.values();
  const work = executor === undefined ? inline : executor.work!.bind(executor);
  const convertNext = async (): Promise<void> => {
    for (const unit of queue) {
      if (ended.aborted) return;
      const begun = performance.now();
      const tell = (progress: unknown): void => watch.read(unit.input, progress as UnitProgress);
      try {
        const { bytes: _, ...order } = unit;
        const stats = (await work("convertShard", order, { signal: ended, tell })) as ShardStats;
        shards.set(unit, { ...shardOf(unit, stats), ms: Math.round(performance.now() - begun) });
        watch.done();
      } catch (error) {
        if (!ended.aborted) failures.push({ unit, error });
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(executor?.lanes ?? 1, todo.length) }, convertNext));
  const report = reportOf(
    units.flatMap((unit) => shards.get(unit) ?? []),
    failures.map(({ unit, error }) => jobErrorOf(error, unit.input)),
    {
      complete: shards.size === units.length,
      elapsedMs: Math.round(performance.now() - startedAt),
      executor: executor?.name ?? null,
    },
  );
  await writeJson(reportPath, report);
  signal?.throwIfAborted();
  if (failures[0] !== undefined) throw failures[0].error;
  return report;
}

const inline: NonNullable<Executor["work"]> = (_, order, context) => convertShard(order as ShardUnit, context);

/** A unit, and how much there is to read. */
type PlannedUnit = ShardUnit & { readonly bytes: number | null };

async function unitsOf(
  input: string | readonly string[],
  output: string,
  options: ConvertOptions,
): Promise<PlannedUnit[]> {
  const { type, members = "msgpack", onError } = options;
  const steps = stepsOf(options);
  const policies = policiesOf(onError);
  // An export that is not there is told before anything is read.
  for (const { task } of steps) await taskAt(task);
  const inputs = await expandPattern(input);
  if (inputs.length === 0) throw misuse(new TypeError("Cannot convert: the list of inputs is empty"));
  const outputs = outputsOf(inputs, output);
  const how = {
    type: type === undefined ? null : typeToJson(type),
    steps: await Promise.all(
      steps.map(async ({ name, options: of, task }) => ({ name, options: of, task: await stampOfTask(task) })),
    ),
    onError: policies,
  };
  return Promise.all(
    inputs.map(async (from, i) => {
      const name = stemOf(from);
      const stamp = await stampOf(from, name);
      const kind = isLines(from) ? "lines" : members;
      return {
        input: from,
        output: outputs[i]!,
        name,
        members: kind,
        type: how.type,
        steps,
        onError: policies,
        madeOf: { input: stamp, members: kind, ...how },
        bytes: stamp.bytes,
      };
    }),
  );
}

function stepsOf({ map: mapping, flatMap: mappingFlat }: ConvertOptions): UnitStep[] {
  if (mapping !== undefined && mappingFlat !== undefined) {
    throw misuse(new TypeError("Cannot convert: give map or flatMap, not both"));
  }
  const stepOf = (name: UnitStep["name"], task: Task): UnitStep => {
    if (!isTask(task)) {
      throw misuse(
        new TypeError(`Cannot convert: ${name} must be a task, made with defineTask, so that a job can be run again`),
      );
    }
    const { spec } = name === "map" ? map(task) : flatMap(task as Task<never, Iterable<unknown>>);
    return { name, options: spec.address!.options, task: task.address };
  };
  if (mapping !== undefined) return [stepOf("map", mapping)];
  return mappingFlat === undefined ? [] : [stepOf("flatMap", mappingFlat)];
}

function policiesOf(given: ConvertOptions["onError"] = "raise"): ShardUnit["onError"] {
  const { sample = "raise", shard = "raise", maxConsecutive } = typeof given === "string" ? both(given) : given;
  for (const policy of [sample, shard]) {
    if (policy === "raise" || policy === "skip" || policy === "quarantine") continue;
    throw misuse(
      new TypeError(`Cannot convert: onError must be "raise", "skip" or "quarantine", not ${JSON.stringify(policy)}`),
    );
  }
  return { sample, shard, maxConsecutive: maxConsecutive ?? null };
}

const both = (policy: JobPolicy): JobPolicies => ({ sample: policy, shard: policy });

function shardOf(
  unit: ShardUnit,
  { version: _, fields: _fields, madeOf: _madeOf, ...counts }: ShardStats,
): ConvertedShard {
  return { input: shownAddress(unit.input), output: unit.output, ...counts };
}

function isThere(url: string): PipelineError {
  return new PipelineError(
    "SHARD_UNWRITABLE",
    `Cannot convert to "${url}": it is already there, and not known to be whole and of the same input and task`,
    { url, hint: "pass { resume: true } to make such shards anew, or write to another place" },
  );
}
