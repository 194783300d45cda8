import { rmSync } from "node:fs";
import { join } from "node:path";
import { CACHE, type Data } from "./data.ts";
import { MEMORY_VARIANTS, type TaskName, VARIANTS } from "./goals.ts";
import type { MicroFigure } from "./measured/micro.ts";
import type { QuarantineFigure } from "./measured/quarantine.ts";
import type { RandomFigure } from "./measured/random-access.ts";
import type { Round } from "./measured/serve.ts";
import type { SetName } from "./measured/sets.ts";
import { type Contestant, type Runtime, startOurs, startPeer } from "./processes.ts";
import { median } from "./report.ts";

/** How much is measured. */
export interface Options {
  readonly runtimes: readonly Runtime[];
  readonly peers: readonly string[];
  /** Whether the fastest of all peers is among them. */
  readonly allPeers: boolean;
  readonly repeat: number;
  readonly warmSeconds: number;
  readonly roundSeconds: number;
  /** Least bytes to stream when memory is looked at. */
  readonly memoryBytes: number;
  /** Whether everything is bound to one core. */
  readonly pin: boolean;
}

/** The rounds of some that were compared. */
export class Comparison {
  readonly #rates = new Map<string, number[]>();
  #check: number | undefined;

  add(name: string, { samples, cpu, check }: Round): void {
    this.#rates.set(name, [...(this.#rates.get(name) ?? []), samples / cpu]);
    if (check === undefined || check === null) return;
    this.#check ??= check;
    if (check !== this.#check) throw new Error(`${name} read something else: its sum is ${check}, not ${this.#check}`);
  }

  /** Median samples per CPU second; undefined for who did not take part. */
  rate(name: string): number | undefined {
    const rates = this.#rates.get(name);
    return rates && median(rates);
  }

  /** How many times as fast as another, round by round. */
  ratio(name: string, other: string): number | undefined {
    const rates = this.#rates.get(name);
    const others = this.#rates.get(other);
    return rates && others && median(rates.map((rate, i) => rate / others[i]!));
  }
}

/** Comparisons by task and set. */
export type Results = Map<TaskName, Map<SetName, Comparison>>;

/** The name of one of ours in a comparison. */
export const oursOn = (runtime: Runtime, variant: string): string => `${runtime}: ${variant}`;

export const CONTRASTS = ["per-sample TransformStreams", "tar-stream + msgpackr"] as const;
const WRITERS = ["atdata", "webdataset", "litdata", "mds"];
const PEER_TASKS: readonly TaskName[] = ["batch", "read", "shuffle", "write"];

/** Ours, what people write by hand, and Python's peers: one set after another, so that few processes wait at a time. */
export async function comparePeers(
  tasks: readonly TaskName[],
  sets: readonly Data[],
  options: Options,
): Promise<Results> {
  const results: Results = new Map();
  const wanted = PEER_TASKS.filter((task) => tasks.includes(task));
  for (const data of wanted.length > 0 ? sets : []) {
    const peers = new Map<string, Contestant>();
    for (const peer of options.peers) peers.set(peer, await startPeer(peer, data, options.pin));
    for (const task of wanted) {
      const ours = new Map<string, Contestant>();
      for (const variant of VARIANTS[task]!) {
        for (const runtime of options.runtimes) {
          const scratch = join(CACHE, "written", runtime);
          ours.set(oursOn(runtime, variant), startOurs(runtime, "ours", data, variant, { pin: options.pin, scratch }));
        }
      }
      if (task === "batch" && options.runtimes.includes("node")) {
        for (const name of CONTRASTS) ours.set(name, startOurs("node", "contrast", data, name, { pin: options.pin }));
        ours.set("floor", startOurs("node", "floor", data, "floor", { pin: options.pin }));
      }
      const able = task === "write" ? [...peers].filter(([name]) => WRITERS.includes(name)) : peers;
      const everyone = new Map([...ours, ...able]);
      put(results, task, data.name, await compete(`${data.name} ${task}`, everyone, options, task));
      for (const contestant of ours.values()) await contestant.end();
    }
    for (const peer of peers.values()) await peer.end();
  }
  rmSync(join(CACHE, "written"), { recursive: true, force: true });
  return results;
}

function put(results: Results, task: TaskName, set: SetName, comparison: Comparison): void {
  const sets = results.get(task) ?? new Map<SetName, Comparison>();
  results.set(task, sets.set(set, comparison));
}

/** Rounds in turn: the first of each warms it up and does not count. */
async function compete(
  what: string,
  contestants: ReadonlyMap<string, Contestant>,
  { repeat, warmSeconds, roundSeconds }: Options,
  task?: TaskName,
): Promise<Comparison> {
  process.stderr.write(`${what} `);
  const comparison = new Comparison();
  if (warmSeconds > 0) for (const contestant of contestants.values()) await contestant.round(warmSeconds, task);
  for (let i = 0; i < repeat; i++) {
    for (const [name, contestant] of contestants) {
      comparison.add(name, await contestant.round(roundSeconds, task));
    }
    process.stderr.write(".");
  }
  process.stderr.write("\n");
  return comparison;
}

export const FLOORS = ["floor", "floor, not blocking"] as const;

/** Batches of shards that shardstream wrote, beside only reading those files. */
export async function compareFloor(sets: readonly Data[], options: Options): Promise<Map<SetName, Comparison>> {
  const results = new Map<SetName, Comparison>();
  for (const data of sets) {
    const own = join(CACHE, "own", data.name);
    await startOurs("node", "ours", data, "copy", { pin: false, scratch: own }).end();
    const shards = data.shards.map((_, i) => join(own, `data-${String(i).padStart(6, "0")}.tar`));
    const contestants = new Map<string, Contestant>();
    for (const runtime of options.runtimes) {
      const start = { pin: options.pin, shards };
      const ours = "batches, recycled";
      contestants.set(oursOn(runtime, ours), startOurs(runtime, "ours", data, ours, start));
      for (const floor of FLOORS) {
        contestants.set(oursOn(runtime, floor), startOurs(runtime, "floor", data, floor, start));
      }
    }
    results.set(data.name, await compete(`${data.name} floor`, contestants, options));
    for (const contestant of contestants.values()) await contestant.end();
  }
  return results;
}

/** MB of resident memory: the most, and the mean of the first and of the last quarter of a run. */
export interface MemoryFigure {
  readonly peak: number;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

/** Memory by set, variant and runtime. */
export async function measureMemory(sets: readonly Data[], options: Options): Promise<Map<string, MemoryFigure>> {
  const figures = new Map<string, MemoryFigure>();
  for (const data of sets) {
    for (const variant of MEMORY_VARIANTS) {
      for (const runtime of options.runtimes) {
        const how = `${variant} ${options.memoryBytes}`;
        const contestant = startOurs(runtime, "memory", data, how, { pin: options.pin });
        figures.set(`${data.name} ${variant} ${runtime}`, await contestant.answer<MemoryFigure>());
        await contestant.end();
      }
    }
    process.stderr.write(`${data.name} memory\n`);
  }
  return figures;
}

/** Small loops, by runtime. */
export async function measureMicro(sets: readonly Data[], options: Options): Promise<Map<Runtime, MicroFigure[]>> {
  const figures = new Map<Runtime, MicroFigure[]>();
  for (const runtime of options.runtimes) {
    const all: MicroFigure[] = [];
    for (const data of sets) {
      const contestant = startOurs(runtime, "micro", data, `samples ${options.roundSeconds}`, { pin: options.pin });
      all.push(...(await contestant.answer<MicroFigure[]>()));
      await contestant.end();
    }
    const contestant = startOurs(runtime, "micro", sets[0]!, `stages ${options.roundSeconds}`, { pin: options.pin });
    all.push(...(await contestant.answer<MicroFigure[]>()));
    await contestant.end();
    figures.set(runtime, all);
    process.stderr.write(`micro on ${runtime}\n`);
  }
  return figures;
}

/** Samples here and there, by runtime and size of a sample. `data` only names a set: this one makes its own. */
export async function measureRandom(data: Data, options: Options, bytes: number): Promise<Map<string, RandomFigure>> {
  const figures = new Map<string, RandomFigure>();
  for (const size of [1024, 65536]) {
    for (const runtime of options.runtimes) {
      const contestant = startOurs(runtime, "random-access", data, `${size} ${bytes}`, { pin: options.pin });
      figures.set(`${size} ${runtime}`, await contestant.answer<RandomFigure>());
      await contestant.end();
    }
    process.stderr.write(`random access, samples of ${size} bytes\n`);
  }
  return figures;
}

/** A quarantine beside skipping, by runtime. */
export async function measureQuarantine(
  [data]: readonly Data[],
  options: Options,
): Promise<Map<Runtime, readonly QuarantineFigure[]>> {
  const figures = new Map<Runtime, readonly QuarantineFigure[]>();
  for (const runtime of options.runtimes) {
    const contestant = startOurs(runtime, "quarantine", data!, String(options.roundSeconds), { pin: options.pin });
    figures.set(runtime, await contestant.answer<readonly QuarantineFigure[]>());
    await contestant.end();
    process.stderr.write(`quarantine on ${runtime}\n`);
  }
  return figures;
}
