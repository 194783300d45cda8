// What a quarantine costs beside skipping: the same passes over the same shards, 1 % of whose samples fail, in turns.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset, RunOptions } from "../../src/index.ts";
import { task } from "./serve.ts";
import type { Shardstream } from "./sets.ts";

/** How much more CPU time a plan takes with a quarantine than with "skip": medians of rounds. */
export interface QuarantineFigure {
  readonly plan: string;
  readonly skipNs: number;
  readonly quarantineNs: number;
  /** Median of the ratios round by round. */
  readonly percent: number;
}

const lib: Shardstream = await import(task.dist);
const seconds = Number(task.variant);
const ROUNDS = seconds > 0 ? 31 : 1;
const COUNT = seconds > 0 ? 50_000 : 1_000;

// About 1 KB each, in fields of the usual kinds.
const Record = lib.defineSample("Record", {
  id: lib.field.int(),
  text: lib.field.string(),
  score: lib.field.float(),
  vector: lib.field.ndarray("float32", [128]),
  tags: lib.field.list(lib.field.string()),
});
const vector = lib.NdArray.from(
  Array.from({ length: 128 }, (_, i) => i / 128),
  "float32",
);
const folder = join(task.scratch, "quarantine");
const shards = join(folder, "data-%03d.tar");
await lib
  .fromIterable(Record, function* () {
    for (let id = 0; id < COUNT; id++) {
      yield {
        id,
        text: `record ${id} `.padEnd(400, "abcdefgh "),
        score: id / 7,
        vector,
        tags: ["a", "b", `t${id % 50}`],
      };
    }
  })
  .pipeTo(lib.shardWriter(shards, { samplesPerShard: 10_000, overwrite: true }));
const records = lib.dataset(join(folder, "data-*.tar"), Record);

/** A little work a sample, at which one of a hundred fails. */
function words({
  id,
  text,
  score,
  vector,
}: {
  id: number;
  text: string;
  score: number;
  vector: { data: ArrayLike<number> };
}) {
  if (id % 100 === 37) throw new Error("poisoned");
  let sum = 0;
  for (let i = 0; i < vector.data.length; i++) sum += vector.data[i]! * score;
  return { id, words: text.split(" ").length, sum };
}
const plans: Readonly<{ [name: string]: Dataset<unknown> }> = {
  map: records.map(words),
  "map, then batches": records.map(words).batch(64),
  "shuffle, map": records.shuffle({ window: 10_000, seed: 1 }).map(words),
  "map, shuffle, map": records
    .map((record) => record)
    .shuffle({ window: 10_000, seed: 1 })
    .map(words),
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const file = join(folder, "bad.jsonl");
const ways: readonly (() => RunOptions)[] = [() => ({ onError: "skip" }), () => ({ onError: lib.quarantine(file) })];

const figures: QuarantineFigure[] = [];
for (const [plan, data] of Object.entries(plans)) {
  const times: number[][] = [[], []];
  for (let round = seconds > 0 ? -3 : 0; round < ROUNDS; round++) {
    // Who comes first changes from round to round.
    for (const way of round % 2 === 0 ? [0, 1] : [1, 0]) {
      await rm(file, { force: true });
      (globalThis as { gc?: () => void }).gc?.();
      const start = process.cpuUsage();
      const run = data.run(ways[way]!());
      for await (const _ of run);
      const { user, system } = process.cpuUsage(start);
      const { skippedSamples, quarantinedSamples } = run.summary;
      if (skippedSamples + quarantinedSamples !== COUNT / 100) throw new Error("Not every bad sample was met with");
      if (round >= 0) times[way]!.push(((user + system) * 1e3) / COUNT);
    }
  }
  const [skip, quarantine] = times as [number[], number[]];
  const percent = 100 * (median(quarantine.map((time, round) => time / skip[round]!)) - 1);
  figures.push({ plan, skipNs: median(skip), quarantineNs: median(quarantine), percent });
}
await rm(folder, { recursive: true });
console.log(JSON.stringify(figures));
