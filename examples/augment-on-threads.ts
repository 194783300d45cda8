/** Crops and mirrors photos on two threads, and writes the same bytes as without them. */
import { readFile } from "node:fs/promises";
import { dataset, fromIterable, type RunOptions, shardWriter } from "shardstream";
import { threads } from "shardstream/threads";
import { augment } from "./lib/augment.ts";
import { Photo, takePhotos } from "./lib/photos.ts";

await fromIterable(Photo, takePhotos(400)).pipeTo(
  shardWriter("data/whole-%06d.tar", { samplesPerShard: 100, overwrite: true }),
);
const crops = dataset("data/whole-*.tar", Photo).flatMap(augment({ size: 4, crops: 3 }));

const workers = threads({ size: 2 });
console.log(String(crops.shuffle({ window: 100 }).explain({ executor: workers })));

async function write(name: string, options: RunOptions): Promise<Uint8Array> {
  await crops.pipeTo(shardWriter(`data/${name}.tar`, { overwrite: true }), options);
  return await readFile(`data/${name}.tar`);
}
const there = await write("there", { executor: workers });
const here = await write("here", {});
await workers[Symbol.asyncDispose](); // on Node 24, Deno and Bun `await using workers = …` does it
console.log(`${await dataset("data/there.tar").count()} crops, the same bytes: ${Buffer.from(here).equals(there)}`);

// Prints:
// shards
// decode   records  all 3 fields, as objects
// flatMap  rows     on 2 threads
// shuffle  rows     blocks of 100 samples in an order made from seed 0 and epoch 0; here, as it orders the samples of all threads
// 1200 crops, the same bytes: true
