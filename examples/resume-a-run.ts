/** Stops a shuffled run in the middle, and goes on from a checkpoint in a file, as after a crash. */
import { readFile, writeFile } from "node:fs/promises";
import { type Checkpoint, dataset, fromIterable, shardWriter } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

const writer = shardWriter("data/resume-%06d.tar", { samplesPerShard: 100, overwrite: true });
await fromIterable(Photo, takePhotos(500)).pipeTo(writer);

const plan = dataset("data/resume-*.tar", Photo)
  .filter((photo) => photo.label !== "owl")
  .shuffle({ window: 100, seed: 7 })
  .batch(10);
const path = "data/checkpoint.json";
const keys: string[] = [];

// The first process: after each batch it says where it is. It is stopped after twelve.
{
  const run = plan.epoch(3).run();
  for await (const batch of run) {
    for (let i = 0; i < batch.length; i++) keys.push(batch.origin(i).key);
    await writeFile(path, JSON.stringify(run.checkpoint()));
    if (keys.length === 120) break;
  }
}
console.log(`stopped after ${keys.length} samples; the checkpoint has ${(await readFile(path)).length} bytes`);

// The second process: the same plan goes on behind the last batch, in the epoch of the checkpoint.
{
  const resume = JSON.parse(await readFile(path, "utf8")) as Checkpoint;
  const run = plan.run({ resume });
  for await (const batch of run) for (let i = 0; i < batch.length; i++) keys.push(batch.origin(i).key);
}

// Together they are what one run without a stop gives.
const whole: string[] = [];
for await (const batch of plan.epoch(3)) for (let i = 0; i < batch.length; i++) whole.push(batch.origin(i).key);
console.log(
  `${keys.length} samples, ${new Set(keys).size} different ones, same order: ${keys.join() === whole.join()}`,
);

// Prints:
// stopped after 120 samples; the checkpoint has 151 bytes
// 334 samples, 334 different ones, same order: true
