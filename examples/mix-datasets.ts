/** Mixes two datasets by a curriculum, stops, and goes on with a third dataset added. */
import { concat, dataset, fromArray, fromIterable, mix, shardWriter, zip } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

const write = (name: string, count: number) =>
  fromIterable(Photo, takePhotos(count)).pipeTo(
    shardWriter(`data/${name}-%06d.tar`, { samplesPerShard: 100, overwrite: true }),
  );
await write("mix-old", 300);
await write("mix-new", 200);
await write("mix-extra", 100);

const old = dataset("data/mix-old-*.tar", Photo).shuffle({ window: 100, seed: 1 });
const fresh = dataset("data/mix-new-*.tar", Photo).shuffle({ window: 100, seed: 2 });
const extra = dataset("data/mix-extra-*.tar", Photo);
const from = (shard: string) => /mix-(\w+)-/.exec(shard)![1]!;

// Only old photos at first, then three old ones for each new one, then as many of both.
const weights = [
  { from: 0, weights: [1, 0] },
  { from: 50, weights: [3, 1] },
  { from: 150, weights: [1, 1] },
];
const counts: Record<string, number> = {};
const run = mix([old, fresh], { weights }).run();
for await (const _ of run) {
  const name = from(run.origin!.shard);
  counts[name] = (counts[name] ?? 0) + 1;
  if (counts.old === 150) break;
}
console.log(JSON.stringify(counts));

// The third comes in where the run was stopped; each photo comes once over both runs.
const grown = mix([old, fresh, extra], { weights: [2, 2, 1] }).run({ resume: run.checkpoint() });
for await (const _ of grown) {
  const name = from(grown.origin!.shard);
  counts[name] = (counts[name] ?? 0) + 1;
}
console.log(JSON.stringify(counts));

// One after another, and side by side. The type stays where it is the same: the result can be written.
const all = concat([old, fresh]);
console.log(all.type?.name, await all.count());
const [[photo, rank] = []] = await zip([old, fromArray([1, 2, 3])]).toArray();
console.log(photo?.label, rank);

// Prints:
// {"old":150,"new":49}
// {"old":300,"new":200,"extra":100}
// Photo 500
// dog 1
