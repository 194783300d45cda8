/**
 * `npm run bench`: how fast shardstream is beside Python's libraries, and beside its goals.
 *
 *     node bench/run.ts [--sets small,image,embedding]
 *                       [--tasks batch,read,shuffle,write,floor,memory,micro,random,quarantine,threads]
 *                       [--runtimes node,deno,bun] [--peers atdata,webdataset|all|none] [--repeat 5] [--smoke] [--check]
 *                       [--out FILE]
 *
 * Measures `dist`, so run `npm run build` first. A full run writes `bench/RESULTS.md`, any other prints its tables only, unless
 * there is `--out`. `--smoke` goes through everything once with little data: its figures mean nothing. `--check` exits 1 when a
 * goal is missed.
 */
import { existsSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ALL_PEERS, makeData } from "./data.ts";
import { IMPORT_GOAL, TASKS, type TaskName } from "./goals.ts";
import { importTimes } from "./import-time.ts";
import { SETS, type SetName } from "./measured/sets.ts";
import { buildMeasured, canPin, RUNTIMES, type Runtime, versionOf } from "./processes.ts";
import { Report } from "./report.ts";
import { floorTable, memoryTable, microTables, peerTables, quarantineTable, randomTable } from "./tables.ts";
import {
  compareFloor,
  comparePeers,
  measureMemory,
  measureMicro,
  measureQuarantine,
  measureRandom,
  type Options,
} from "./tasks.ts";
import { threadTables } from "./threads.ts";

const { values: flags } = parseArgs({
  options: {
    sets: { type: "string" },
    tasks: { type: "string" },
    runtimes: { type: "string" },
    peers: { type: "string", default: "atdata,webdataset" },
    repeat: { type: "string" },
    smoke: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    out: { type: "string" },
  },
});

function listOf<T extends string>(what: string, given: string | undefined, known: readonly T[]): T[] {
  const names = given === undefined ? [...known] : given.split(",");
  const wrong = names.find((name) => !(known as readonly string[]).includes(name));
  if (wrong !== undefined) throw new Error(`There is no ${what} "${wrong}"; there are ${known.join(", ")}`);
  return names as T[];
}

const root = fileURLToPath(new URL("..", import.meta.url));
if (!existsSync(`${root}dist/index.js`)) throw new Error("There is no dist: run `npm run build` first");

const { smoke } = flags;
const sets: SetName[] = listOf("set", flags.sets, SETS);
const tasks: TaskName[] = listOf("task", flags.tasks, TASKS);
const peers = flags.peers === "none" ? [] : listOf("peer", flags.peers === "all" ? undefined : flags.peers, ALL_PEERS);
const options: Options = {
  runtimes: listOf<Runtime>("runtime", flags.runtimes, RUNTIMES),
  peers,
  repeat: smoke ? 1 : Number(flags.repeat ?? 5),
  // A round of a few hundred ms is long beside a garbage collection, and the compilers need about a second to be done.
  warmSeconds: smoke ? 0 : 1,
  roundSeconds: smoke ? 0 : 0.3,
  // So much that what a program takes while it starts does not pass for growth.
  memoryBytes: smoke ? 1 : 2 ** 32,
  pin: !smoke,
  allPeers: flags.peers === "all",
};

const report = new Report();
const data = await makeData(sets, smoke ? 0.01 : 1);
await buildMeasured();

const versions = options.runtimes.map((runtime) => `${runtime} ${versionOf(runtime)}`).join(", ");
report.heading(1, "Results");
report.text(
  "Written by `npm run bench`. Figures are samples per second of CPU time (user and system, all threads) unless they say otherwise;",
  `ratios are medians of ${options.repeat} rounds, in which all that is compared took turns. ${versions}; ${availableParallelism()} cores,`,
  `${options.pin && canPin ? "everything pinned to one of them" : "nothing pinned"}; files in the page cache. A missed goal is in bold.`,
);
peerTables(await comparePeers(tasks, data, options), data, options, report);
if (tasks.includes("floor")) floorTable(await compareFloor(data, options), options, report);
if (tasks.includes("memory")) memoryTable(await measureMemory(data, options), data, options, report);
if (tasks.includes("micro")) {
  microTables(await measureMicro(data, options), report);
  const { empty, ours } = importTimes(smoke ? 3 : 11);
  const added = report.below("import", ours - empty, IMPORT_GOAL, " ms");
  report.text(`\`import "shardstream"\` on Node adds ${added} to the ${empty.toFixed(0)} ms of an empty module.`);
}
if (tasks.includes("random")) randomTable(await measureRandom(data[0]!, options, smoke ? 1e7 : 1e9), report);
if (tasks.includes("quarantine")) quarantineTable(await measureQuarantine(data, options), report);
if (tasks.includes("threads")) threadTables(options.runtimes, smoke, report);
report.heading(2, "Goals");
report.text(`${report.met} met, ${report.missed.length} missed.`, "", ...report.missed.map((line) => `- ${line}`));
if (!options.allPeers) report.text("Goals beside the best peer are judged by `npm run bench -- --peers all`.");

console.log(`\n${report}`);
const isFull = !smoke && !["sets", "tasks", "runtimes"].some((name) => name in flags) && peers.length > 1;
const out = flags.out ?? (isFull ? `${root}bench/RESULTS.md` : undefined);
if (out !== undefined) writeFileSync(out, String(report));
if (flags.check && report.missed.length > 0) process.exitCode = 1;
