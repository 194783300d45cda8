import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ThreadFigures } from "./measured/threads.ts";
import { commandOf, type Runtime } from "./processes.ts";
import type { Report } from "./report.ts";

const CROSSING_GOAL_NS = 300;
const FASTER_GOAL = 1.75;
const GROWTH_GOAL_MB = 16;

/** Measures threads on each runtime. Nothing is pinned: they need the other cores. */
export function threadTables(runtimes: readonly Runtime[], smoke: boolean, report: Report): void {
  const program = fileURLToPath(new URL("measured/threads.ts", import.meta.url));
  report.heading(2, "Threads");
  const rows: string[][] = [];
  for (const runtime of runtimes) {
    process.stderr.write(`threads on ${runtime}\n`);
    const [command, ...args] = commandOf(runtime) as [string, ...string[]];
    const { stdout, stderr, status } = spawnSync(command, [...args, program, ...(smoke ? ["smoke"] : [])], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`threads on ${runtime}: ${stderr}`);
    const { crossing, scaling, growthMb } = JSON.parse(stdout) as ThreadFigures;
    const cells = Object.entries(crossing).map(([name, ns]) =>
      report.below(`${runtime}: crossing, ${name}`, ns, name.startsWith("typed") ? CROSSING_GOAL_NS : undefined, " ns"),
    );
    const times = scaling.map(({ threads, faster, cpu }) => {
      const figure = report.atLeast(`${runtime}: ${threads} threads`, faster, threads === 2 ? FASTER_GOAL : undefined);
      return `${figure} (CPU ${cpu.toFixed(2)}x)`;
    });
    rows.push([runtime, ...cells, ...times, report.below(`${runtime}: memory`, growthMb, GROWTH_GOAL_MB, " MB")]);
  }
  const head = ["", "typed, batches", "typed, one by one", "untyped", "1 thread", "2 threads", "memory, 1,000 batches"];
  report.table(head, rows);
  report.text(
    "CPU that crossing to a thread and back adds to a tiny sample; how many times as fast as inline a task of 200 us a sample is,",
    "by the clock, with its CPU time beside inline's; and what the process grew by.",
  );
}
