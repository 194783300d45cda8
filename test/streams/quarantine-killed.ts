// Started by quarantine.test.ts, and killed by it, until it comes to its end. Its file holds a line for every 16 samples: their
// ids, and the checkpoint behind them.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { type Checkpoint, dataset, defineSample, field, quarantine } from "../../src/index.ts";

const [shards, bad, out] = process.argv.slice(2) as [string, string, string];
const Item = defineSample("Item", { id: field.int(), text: field.string(), score: field.float() });
const lines = existsSync(out) ? readFileSync(out, "utf8").split("\n").slice(0, -1) : [];
const last = lines.at(-1);
const resume = last === undefined ? undefined : (JSON.parse(last) as { checkpoint: Checkpoint }).checkpoint;
const run = dataset(shards, Item)
  .shuffle({ window: 200, seed: 3 })
  .map((sample) => {
    if (sample.id % 100 === 37) throw new Error(`no ${sample.id}`);
    return sample.id;
  })
  .run({ resume, onError: quarantine(bad) });
let ids: number[] = [];
const save = (): void => {
  appendFileSync(out, `${JSON.stringify({ ids, checkpoint: run.checkpoint() })}\n`);
  ids = [];
};
for await (const id of run) {
  if (ids.push(id) < 16) continue;
  save();
  await new Promise((resolve) => setTimeout(resolve, 1));
}
save();
