/**
 * Reads its share of a dataset and appends what it got to one file: a line for each sample, and now and then a line with the
 * checkpoint and the ledger that go with all lines before it. Runs until somebody kills it, or the data ends.
 *
 *     kill-consumer.ts FOLDER OUT RANK WORLD_SIZE THREADS [CHECKPOINT]
 */
import { appendFileSync, readFileSync } from "node:fs";
import process from "node:process";
import { threads } from "../../src/execution/threads.ts";
import { type Checkpoint, Ledger } from "../../src/index.ts";
import { killPlan } from "./kill-plan.ts";

const [folder, out, rank, worldSize, size, saved] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string?,
];
const resume = saved === undefined ? undefined : (JSON.parse(readFileSync(saved, "utf8")) as Checkpoint);
const ledger = new Ledger();
const executor = size === "0" ? undefined : threads({ size: Number(size) });
const run = killPlan(folder).run({ rank: Number(rank), worldSize: Number(worldSize), resume, ledger, executor });

let lines = "";
let held = 0;
for await (const { n } of run) {
  lines += `${n}\n`;
  if (++held % 7 === 0) {
    // Some samples get to the file without a checkpoint behind them: those are the ones to be cut.
    appendFileSync(out, lines);
    lines = "";
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  if (held % 20 === 0) save();
}
save();

function save(): void {
  appendFileSync(out, `${lines}${JSON.stringify({ checkpoint: run.checkpoint(), ledger })}\n`);
  lines = "";
}
