import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Command, InvalidArgumentError, Option } from "commander";
import { threads } from "../../execution/threads.ts";
import { convert, type JobPolicy, type JobProgress, type JobReport } from "../../jobs/index.ts";
import { isLines } from "../../jobs/output-names.ts";
import type { Json } from "../../streams/operator.ts";
import { type Task, taskAt } from "../../streams/task.ts";
import { membersOption, positiveNumber, type ReadOptions, readSchema } from "../arguments.ts";
import { counted } from "../passes.ts";
import type { Session } from "../program.ts";
import { membersOf } from "../samples.ts";

interface ConvertFlags extends Omit<ReadOptions, "endMarker"> {
  readonly map?: string;
  readonly flatMap?: string;
  readonly options?: Json;
  readonly threads?: number;
  readonly resume?: true;
  readonly overwrite?: true;
  readonly verify?: true;
  readonly onError: JobPolicy;
  readonly report?: string;
}

export function addConvert(root: Command, session: Session): void {
  root
    .command("convert <input> <output>")
    .description(
      "make a shard of each shard, or file of JSON lines, with index and statistics; again: only what is missing",
    )
    .option("--map <module#export>", "the task that makes one sample of each: a file, and the name of its export")
    .option("--flat-map <module#export>", "the task that makes any number of samples of each")
    .option("--options <json>", "the options of the task", parsedJson)
    .option("--threads <n>", "convert so many shards beside one another", positiveNumber)
    .option("--resume", "make anew what is there and is not whole, or of another input or task")
    .option("--overwrite", "make everything anew")
    .option("--verify", "read what is there, and compare digests, before it is kept")
    .option("--schema <file>", "a schema record (JSON): read the samples as it says")
    .addOption(membersOption())
    .addOption(
      new Option("--on-error <policy>", "end the job; leave out what fails; or put it into {shard}.quarantine.jsonl")
        .choices(["raise", "skip", "quarantine"])
        .default("raise"),
    )
    .option("--report <file>", "where the report is put (default: job.json in the folder of the outputs)")
    .addHelpText(
      "after",
      '\nOUTPUT is a folder, or a path such as "small/*.tar.zst", where * stands for the name of the input.\nExample:\n  shardstream convert "train-*.tar" small --map ./tasks.ts#shrink --options \'{"to":64}\' --threads 4 --resume',
    )
    .action((input: string, output: string, flags: ConvertFlags) => run(input, output, flags, session));
}

async function run(input: string, output: string, flags: ConvertFlags, { terminal, signal }: Session): Promise<void> {
  const { json, map, flatMap, options = {}, threads: size, resume, overwrite, verify, onError, report: path } = flags;
  const type = await readSchema(flags.schema);
  const members = flags.members !== "auto" ? flags.members : isLines(input) ? "msgpack" : await membersOf(input, READ);
  // No `await using`, which Node 22 does not know.
  const executor = size === undefined ? undefined : threads({ size });
  const report = await convert<never>(input, output, {
    map: map === undefined ? undefined : await taskNamed(map, options),
    flatMap:
      flatMap === undefined ? undefined : ((await taskNamed(flatMap, options)) as Task<never, Iterable<unknown>>),
    type: type as never,
    members,
    executor,
    resume,
    overwrite,
    verify,
    onError,
    report: path,
    signal,
    onProgress: (progress) => terminal.progress(() => progressLine(progress)),
  }).finally(() => executor?.[Symbol.asyncDispose]());
  if (json === true) await terminal.print(JSON.stringify(report, null, 2));
  else await terminal.print(summaryOf(report));
}

const READ = { members: "auto", endMarker: "required" } as const;

function taskNamed(text: string, options: Json): Promise<Task> {
  const [module, name, more] = text.split("#");
  if (!module || !name || more !== undefined) {
    throw new TypeError(`Cannot find task "${text}": name a file and its export, as in ./tasks.ts#shrink`);
  }
  const url = URL.canParse(module) ? module : pathToFileURL(resolve(module)).href;
  return taskAt({ module: url, name, options });
}

function parsedJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new InvalidArgumentError(`It must be JSON: ${(error as Error).message}.`);
  }
}

function progressLine({ shards, shardsDone, samples, timeLeftMs }: JobProgress): string {
  const left = timeLeftMs === undefined ? "" : `, ${timeText(timeLeftMs)} left`;
  return `${shardsDone} of ${counted(shards, "shard")}, ${counted(samples, "sample")}${left}`;
}

/** `1 h 05 min`, `3 min 20 s`, `12 s`. */
function timeText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  const two = (number: number): string => String(number).padStart(2, "0");
  return minutes < 60
    ? `${minutes} min ${two(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

function summaryOf(report: JobReport): string {
  const { shards, samples, bytes, kept, elapsedMs } = report;
  const left = [
    [report.skippedSamples + report.quarantinedSamples, "sample"],
    [report.skippedShards + report.quarantinedShards, "rest of shard"],
  ] as const;
  return [
    `${counted(samples, "sample")} in ${counted(shards.length, "shard")}, ${bytes} bytes`,
    ...(kept > 0 ? [`${kept} of them kept`] : []),
    ...left.filter(([count]) => count > 0).map(([count, noun]) => `left out: ${counted(count, noun)}`),
    `${(elapsedMs / 1000).toFixed(1)} s`,
  ].join(", ");
}
