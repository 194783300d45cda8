/** Goes on behind samples that do not decode, functions that fail and shards that are cut, and tells of them. */
import { readFile, truncate, writeFile } from "node:fs/promises";
import { dataset, fromIterable, PipelineError, shardWriter } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

const writer = shardWriter("data/worn-%06d.tar", { samplesPerShard: 50, overwrite: true });
await fromIterable(Photo, takePhotos(100)).pipeTo(writer);

// Damage: the first sample of the first shard is no msgpack map any more, and the second shard lost its end.
const shard = await readFile("data/worn-000000.tar");
shard[512] = 0xc1;
await writeFile("data/worn-000000.tar", shard);
await truncate("data/worn-000001.tar", 20_000);
const photos = dataset("data/worn-*.tar", Photo);

// By default the first error ends the run, after all that came before it was delivered.
try {
  await photos.toArray();
} catch (error) {
  if (!(error instanceof PipelineError)) throw error;
  console.log(`stopped: ${error.code} at ${error.facts.key}`); // error.message and error.hint say more
}

// "skip" counts errors and goes on. Errors of samples and of shards can be told apart:
// onError: { sample: "skip", shard: "raise" }.
const checked = photos.map((photo, { origin }) => {
  if (origin.key === "000000007") throw new Error("a photo nobody likes");
  return photo.label;
});
const run = checked.run({ onError: "skip" });
const labels = await Array.fromAsync(run);
const { skippedSamples, skippedShards, errors } = run.summary;
console.log(`${labels.length} labels, ${skippedSamples} samples skipped, the rest of ${skippedShards} shard`);
for (const { code, facts } of errors) console.log(`${code} ${facts.url} ${facts.key}`);

// Prints:
// stopped: SAMPLE_CORRUPT at 000000000
// 67 labels, 2 samples skipped, the rest of 1 shard
// SAMPLE_CORRUPT data/worn-000000.tar 000000000
// STAGE_FAILED data/worn-000000.tar 000000007
// SHARD_TRUNCATED data/worn-000001.tar 000000068
