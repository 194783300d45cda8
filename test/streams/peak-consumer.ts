/**
 * Passes over shards under a budget of memory, and tells how much memory the process had at most, above what it had before.
 *
 *     peak-consumer.ts FOLDER MEMORY WINDOW BATCH EPOCHS STAGES
 */
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { dataset } from "../../src/index.ts";
import { collectGarbage } from "../../src/runtime/collect-garbage.ts";
import { Blobs } from "./peak-samples.ts";

const [folder, memory, window, size, epochs, stages] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];

/** Linux keeps the highest resident size by itself; elsewhere it is the highest that was seen. */
function highest(): number {
  if (!existsSync("/proc/self/status")) return process.memoryUsage.rss();
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
}

let peak = 0;
let sum = 0;
let samples = 0;
const rss: number[] = [];
const heap: number[] = [];

async function pass(epoch: number): Promise<void> {
  const shuffled = dataset(`${folder}/*.tar`, Blobs)
    .epoch(epoch)
    .shuffle({ window: Number(window), seed: 7 });
  const mapped = stages.includes("map")
    ? shuffled.map((sample) => ({ ...sample, n: sample.n + 1 }), { type: Blobs })
    : shuffled;
  const batches = mapped.batch(Number(size), { recycle: stages.includes("recycle") }).prefetch(4);
  for await (const batch of batches.run({ memory })) {
    for (const { data } of batch) sum += (data.data as Uint8Array)[1]!;
    samples += batch.length;
    peak = Math.max(peak, highest());
  }
}

const before = process.memoryUsage.rss();
for (let epoch = 0; epoch < Number(epochs); epoch++) {
  await pass(epoch);
  // What a pass leaves behind is told apart from what nobody has collected yet.
  if (epoch % 10 === 9) collectGarbage();
  rss.push(process.memoryUsage.rss());
  heap.push(process.memoryUsage().heapUsed);
}
process.stdout.write(`${JSON.stringify({ before, peak: Math.max(peak, highest()), samples, sum, rss, heap })}\n`);
