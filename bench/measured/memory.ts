// Streams a set until at least `BYTES` went through, and tells how much memory the process had at most, and how it grew.
import { existsSync, readFileSync, statSync } from "node:fs";
import { task } from "./serve.ts";
import { benchSet, type Shardstream } from "./sets.ts";

const MB = 1e6;
/** Places of a run at which memory is looked at. */
const LOOKS = 200;

const lib: Shardstream = await import(task.dist);
const { type, one, many } = benchSet(lib, task.set);
const bytes = task.shards.reduce((sum, shard) => sum + statSync(shard).size, 0);
const passes = Math.max(1, Math.ceil(Number(task.variant.split(" ").at(-1)) / bytes));
const all = Array.from({ length: passes }, () => task.shards).flat();
const data = lib.dataset(all, type);
const total = passes * task.samples;

const rss: number[] = [];
let samples = 0;
let sum = 0;
function look(): void {
  if (samples >= (rss.length * total) / LOOKS) rss.push(process.memoryUsage.rss() / MB);
}

if (task.variant.startsWith("one by one")) {
  for await (const sample of data) {
    samples++;
    sum += one(sample);
    look();
  }
} else {
  const recycle = task.variant.startsWith("recycled");
  for await (const batch of data.batch(64, { recycle })) {
    samples += batch.length;
    sum += many(batch);
    look();
  }
}
if (samples !== total) throw new Error(`${samples} samples came, not ${total}`);

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const quarter = Math.max(1, rss.length >> 2);
console.log(
  JSON.stringify({
    peak: highest(),
    first: mean(rss.slice(0, quarter)),
    last: mean(rss.slice(-quarter)),
    bytes: bytes * passes,
    check: sum / passes,
  }),
);

/** Linux keeps the highest resident size by itself; elsewhere it is the highest that was seen. */
function highest(): number {
  const status = "/proc/self/status";
  if (!existsSync(status)) return Math.max(...rss);
  return (Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, "utf8"))![1]) * 1024) / MB;
}
