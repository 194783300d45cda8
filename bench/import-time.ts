import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { commandOf } from "./processes.ts";
import { median } from "./report.ts";

/** Milliseconds that Node takes for a program that imports nothing, and for one that imports the front door: medians. */
export function importTimes(processes: number): { empty: number; ours: number } {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const time = (program: string): number => {
    const start = performance.now();
    const { status, stderr } = spawnSync(commandOf("node")[0]!, ["--input-type=module", "-e", program], { cwd: root });
    if (status !== 0) throw new Error(String(stderr));
    return performance.now() - start;
  };
  const empty: number[] = [];
  const ours: number[] = [];
  for (let i = 0; i < processes; i++) {
    empty.push(time("export {}"));
    ours.push(time('import "shardstream"'));
  }
  return { empty: median(empty), ours: median(ours) };
}
