import type { Data } from "./data.ts";
import {
  FLOOR_GOALS,
  GROWTH_GOAL,
  LOAD_GOAL,
  MEMORY_VARIANTS,
  memoryGoal,
  PEER_GOALS,
  QUARANTINE_GOAL,
  RANDOM_GOALS,
  RESUME_GOAL,
  runtimeGoal,
  STAGE_GOAL,
  type TaskName,
  VARIANTS,
} from "./goals.ts";
import type { MicroFigure } from "./measured/micro.ts";
import type { QuarantineFigure } from "./measured/quarantine.ts";
import type { RandomFigure } from "./measured/random-access.ts";
import type { SetName } from "./measured/sets.ts";
import type { Runtime } from "./processes.ts";
import { type Report, rate, short } from "./report.ts";
import { CONTRASTS, type Comparison, FLOORS, type MemoryFigure, type Options, oursOn, type Results } from "./tasks.ts";

const TITLES: Readonly<Partial<Record<TaskName, string>>> = {
  batch: "Batches of 64 as columns",
  read: "Samples one by one, `for await`",
  shuffle: "Seeded shuffle in a window of 10,000, batches of 64 (recycled)",
  write: "Write",
};

/** A comparison with peers: ours first, then what the peers did. */
export function peerTables(results: Results, sets: readonly Data[], options: Options, report: Report): void {
  for (const [task, comparisons] of results) {
    report.heading(2, TITLES[task]!);
    const rows = VARIANTS[task]!.flatMap((variant) =>
      sets.map((data) => ourRow(task, variant, data, comparisons.get(data.name)!, options, report)),
    );
    const [base, ...others] = options.runtimes;
    const contrasts = task === "batch" && base === "node" ? CONTRASTS.map((name) => `x ${name}`) : [];
    const head = [
      `${base}`,
      "samples/s",
      "MB/s",
      "x atdata",
      "x best peer",
      ...others.map((other) => `${other} / ${base}`),
    ];
    report.table([...head, ...contrasts], rows);
    if (task === "batch" && options.peers.includes("atdata") && options.runtimes.includes("node")) {
      const bound = sets.map(({ name }) => `${name} ${short(comparisons.get(name)!.ratio("floor", "atdata")!)}x`);
      report.text(
        `A bound of this machine: only to read these files into one buffer is ${bound.join(", ")} atdata's speed.`,
      );
    }
    if (options.peers.length === 0) continue;
    const figure = (set: SetName, peer: string) => comparisons.get(set)!.rate(peer);
    report.table(
      ["peer, samples/s", ...sets.map(({ name }) => name)],
      options.peers
        .filter((peer) => figure(sets[0]!.name, peer) !== undefined)
        .map((peer) => [peer, ...sets.map(({ name }) => rate(figure(name, peer)!))]),
    );
  }
}

function ourRow(
  task: TaskName,
  variant: string,
  { name: set, payloadBytes, samples }: Data,
  comparison: Comparison,
  { runtimes, peers, allPeers }: Options,
  report: Report,
): string[] {
  const [base, ...others] = runtimes as [Runtime, ...Runtime[]];
  const ours = oursOn(base, variant);
  // Goals are those of Node.
  const goal = base === "node" ? PEER_GOALS[variant]![set] : {};
  const what = `${set}, ${variant}`;
  const ratioTo = (other: string | undefined, least: number | undefined): string => {
    const ratio = other === undefined ? undefined : comparison.ratio(ours, other);
    return ratio === undefined ? "-" : report.atLeast(`${what}, x ${other}`, ratio, least);
  };
  const speed = comparison.rate(ours)!;
  const best = peers
    .filter((peer) => comparison.rate(peer) !== undefined)
    .sort((a, b) => comparison.rate(b)! - comparison.rate(a)!)[0];
  const toBest = ratioTo(best, allPeers ? goal.best : undefined);
  return [
    what,
    rate(speed),
    rate((speed * payloadBytes) / samples / 1e6),
    ratioTo("atdata", goal.atdata),
    best === undefined ? "-" : `${toBest} ${best}`,
    ...others.map((other) => {
      const part = comparison.ratio(oursOn(other, variant), ours)!;
      return report.atLeast(`${what}, ${other} / ${base}`, part, base === "node" ? runtimeGoal(variant) : undefined);
    }),
    ...(task === "batch" && base === "node" ? CONTRASTS.map((contrast) => ratioTo(contrast, undefined)) : []),
  ];
}

export function floorTable(results: ReadonlyMap<SetName, Comparison>, { runtimes }: Options, report: Report): void {
  report.heading(2, "Part of the floor");
  report.text(
    "Batches of 64, recycled, of shards that shardstream wrote, beside only reading those files into one buffer of 1 MiB that is",
    "used again and again (`readSync`; the last columns: `FileHandle.read`).",
  );
  const ours = "batches, recycled";
  const rows = [...results].map(([set, comparison]) => [
    set,
    ...FLOORS.flatMap((floor) =>
      runtimes.map((runtime) => {
        const percent = 100 * comparison.ratio(oursOn(runtime, ours), oursOn(runtime, floor))!;
        const goal = floor === "floor" && runtime === "node" ? FLOOR_GOALS[set] : undefined;
        return report.atLeast(`${set}, part of the floor on ${runtime}`, percent, goal, " %");
      }),
    ),
  ]);
  report.table(["set", ...runtimes, ...runtimes.map((runtime) => `${runtime}, not blocking`)], rows);
}

export function memoryTable(
  figures: ReadonlyMap<string, MemoryFigure>,
  sets: readonly Data[],
  { runtimes, memoryBytes }: Options,
  report: Report,
): void {
  report.heading(2, "Memory");
  report.text(
    `Most resident memory (MB) while ${(memoryBytes / 2 ** 30).toFixed(0)} GiB stream, and growth from the mean of the first quarter to that of the last.`,
  );
  const rows = sets.flatMap(({ name: set }) =>
    MEMORY_VARIANTS.map((variant) => {
      const what = `${set}, ${variant}`;
      return [
        what,
        ...runtimes.flatMap((runtime) => {
          const { peak, first, last } = figures.get(`${set} ${variant} ${runtime}`)!;
          return [
            report.below(`${what}, memory on ${runtime}`, peak, memoryGoal(set, variant), ""),
            report.below(`${what}, growth on ${runtime}`, last - first, GROWTH_GOAL, ""),
          ];
        }),
      ];
    }),
  );
  report.table(["set", ...runtimes.flatMap((runtime) => [runtime, "growth"])], rows);
}

export function microTables(figures: ReadonlyMap<Runtime, readonly MicroFigure[]>, report: Report): void {
  report.heading(2, "Small loops");
  report.text("CPU time in ns.");
  const runtimes = [...figures.keys()];
  const [first] = figures.values();
  for (const group of new Set(first!.map((figure) => figure.group))) {
    const names = first!.filter((figure) => figure.group === group).map((figure) => figure.name);
    report.table(
      [group, ...runtimes],
      names.map((name) => [
        name,
        ...runtimes.map((runtime) => {
          const { ns, judged } = figures
            .get(runtime)!
            .find((figure) => figure.group === group && figure.name === name)!;
          return judged ? report.below(`${name} on ${runtime}`, ns, STAGE_GOAL, "") : short(ns);
        }),
      ]),
    );
  }
}

/** Samples here and there beside a full pass; goals are judged on Node. */
export function randomTable(figures: ReadonlyMap<string, RandomFigure>, report: Report): void {
  report.heading(2, "Samples at any place");
  report.text("As parts of the time of a full pass one by one; resuming at 99 % by starting at 0 %.");
  const rows = [...figures].map(([name, figure]) => {
    const isJudged = name.endsWith(" node");
    const goal = isJudged ? RANDOM_GOALS[figure.sampleBytes] : undefined;
    const resume = isJudged ? RESUME_GOAL : undefined;
    const percent = (part: number | undefined): number | undefined => part && 100 * part;
    return [
      name,
      `${short(figure.pass)} ms`,
      report.below(`${name}: sample(1000)`, 100 * figure.sample, percent(goal?.sample), " %"),
      report.below(`${name}: at(i)`, 100 * figure.at, percent(goal?.at), " %"),
      report.below(`${name}: resumed`, figure.resumed, resume, "x"),
      report.below(`${name}: resumed in a window`, figure.resumedWindow, resume, "x"),
      `${short(figure.permuted)}x`,
      `${short(figure.blocks)}x`,
      figure.load === undefined
        ? ""
        : `${report.below(`${name}: load`, figure.load.ms, isJudged ? LOAD_GOAL.ms : undefined, " ms")}, ${report.below(`${name}: index`, figure.load.mb, isJudged ? LOAD_GOAL.mb : undefined, " MB")}`,
    ];
  });
  const head = ["bytes", "pass", "sample(1000)", "at(i)", "resume", "resume, window"];
  report.table([...head, "shuffle, all", "shuffle, blocks of 64 MiB", "index of 10^6"], rows);
}
export function quarantineTable(figures: ReadonlyMap<Runtime, readonly QuarantineFigure[]>, report: Report): void {
  report.heading(2, "Quarantine");
  report.text(
    'CPU time in ns per sample of about 1 KB, 1 % of which fail in a map, with "skip" and with a quarantine in turns; and what the',
    "quarantine adds in percent, the median of the rounds. The goal is for plans that hold no samples before the stage that fails.",
  );
  for (const [runtime, plans] of figures) {
    const rows = plans.map(({ plan, skipNs, quarantineNs, percent }) => {
      const goal = runtime === "node" && plan !== "map, shuffle, map";
      const added = goal
        ? report.below(`${plan}, quarantine on ${runtime}`, percent, QUARANTINE_GOAL, " %")
        : `${short(percent)} %`;
      return [plan, short(skipNs), short(quarantineNs), added];
    });
    report.table([runtime, "skip", "quarantine", "added"], rows);
  }
}
