/** Puts samples that fail aside, with their bytes, and runs them again when the cause is mended. */
import { readFile, rm } from "node:fs/promises";
import { dataset, fromIterable, quarantine, replay, shardWriter } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

const writer = shardWriter("data/odd-%06d.tar", { samplesPerShard: 50, overwrite: true });
await fromIterable(Photo, takePhotos(100)).pipeTo(writer);
await rm("data/bad.jsonl", { force: true }); // a quarantine grows from run to run

const photos = dataset("data/odd-*.tar", Photo).shuffle({ window: 100, seed: 1 });
const initial = (label: string): string => {
  if (label === "owl") throw new Error("owls have no initial");
  return label.slice(0, 1);
};

// The run goes on behind what fails, and keeps it.
const run = photos.map(({ label }) => initial(label)).run({ onError: quarantine("data/bad.jsonl") });
const letters = await Array.fromAsync(run);
const { quarantinedSamples } = run.summary;
console.log(`${letters.length} came through, ${quarantinedSamples} are in quarantine`);

// A line has the error, where the sample comes from, and its bytes.
const [line] = (await readFile("data/bad.jsonl", "utf8")).split("\n");
const { error, stage, shard, parts } = JSON.parse(line!);
console.log(error.code, stage, shard.replace(/\d+/, "…"), parts[0][0]);

// The function is mended: what failed runs through the same plan again, also when the shards are gone.
for (const path of await photos.listShards()) await rm(path);
const mended = photos.map(({ label }) => label.slice(0, 1));
const rest = await replay("data/bad.jsonl", mended).toArray();
console.log(`${rest.length} more, ${letters.length + rest.length} in all: ${[...new Set(rest)]}`);

// Prints:
// 67 came through, 33 are in quarantine
// STAGE_FAILED map data/odd-….tar msgpack
// 33 more, 100 in all: o
