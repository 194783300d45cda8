/** Uses threads, disposes of some, and looks for what is left; then ends with others still there. */
import { readdirSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { threads } from "../../src/execution/threads.ts";
import { dataset } from "../../src/index.ts";
import { Counted, double } from "./tasks.ts";

const pattern = process.argv[2]!;
const count = (): number => readdirSync("/proc/self/task").length;
const use = async (): Promise<void> => {
  const workers = threads({ size: 3 });
  const plan = dataset(pattern, Counted).map(double());
  await plan.toArray({ executor: workers });
  for await (const _ of plan.run({ executor: workers })) break;
  await workers[Symbol.asyncDispose]();
};
const settled = async (): Promise<number> => {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 40; i++) {
    await sleep(25);
    least = Math.min(least, count());
  }
  return least;
};
await use(); // what the runtime starts once and keeps
const before = await settled();
for (let i = 0; i < 3; i++) await use();
const after = await settled();
const ports = process.getActiveResourcesInfo?.().filter((name) => /MessagePort|Worker/.test(name)) ?? [];
// Nine threads came and went; the runtime may have started one or two of its own meanwhile.
const threadsLeft = after < before + 3 ? "threads gone" : `${after - before} threads left`;
process.stdout.write(`${threadsLeft}, ${ports.length === 0 ? "handles gone" : `handles left: ${ports}`}\n`);
await dataset(pattern, Counted)
  .map(double())
  .toArray({ executor: threads({ size: 2 }) });
