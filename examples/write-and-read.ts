/** Writes samples to shards, and reads them back. */
import { dataset, fromIterable, shardWriter } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

// Shards of 40 samples; `bytesPerShard` limits their size instead, or as well.
const writer = shardWriter("data/photos-%06d.tar", { samplesPerShard: 40, overwrite: true });
const written = await fromIterable(Photo, takePhotos(100)).pipeTo(writer);
for (const { path, samples } of written.shards) console.log(`${path}: ${samples} samples`);

// A dataset is a plan: nothing is read before somebody asks, and it can be read as often as you like.
const photos = dataset("data/photos-*.tar", Photo);
console.log(`${await photos.count()} samples in ${(await photos.listShards()).length} shards`);

for await (const photo of photos.take(2)) {
  console.log(photo.label, photo.score, photo.pixels.dtype, photo.pixels.shape.join("x"));
}

// Where a sample comes from: its shard, its place there, and its key, which is its name inside of the shard.
const [last] = await photos.skip(99).withOrigin().toArray();
console.log(
  `the last: ${last!.sample.label}, key ${last!.origin.key}, number ${last!.origin.index} of ${last!.origin.shard}`,
);

// Prints:
// data/photos-000000.tar: 40 samples
// data/photos-000001.tar: 40 samples
// data/photos-000002.tar: 20 samples
// 100 samples in 3 shards
// cat 0 uint8 8x8x3
// dog 0.1 uint8 8x8x3
// the last: cat, key 000000099, number 19 of data/photos-000002.tar
