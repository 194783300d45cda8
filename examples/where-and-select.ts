/** Only the samples and the fields that are needed: what nobody asks for is not decoded. */
import { and, dataset, fromIterable, or, shardWriter } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

const writer = shardWriter("data/search-%06d.tar", { samplesPerShard: 100, overwrite: true });
await fromIterable(Photo, takePhotos(300)).pipeTo(writer);
const photos = dataset("data/search-*.tar", Photo);

// A condition on fields is data: TypeScript knows which tests fit a field, and the engine reads only the fields it names.
const good = photos.where((photo) => and(photo.label.in(["cat", "owl"]), photo.score.ge(0.8)));
console.log(`${await good.count()} good ones`);

// Samples with fewer fields; `pixels` is never touched.
const scores = good.select("label", "score");
console.log(JSON.stringify(await scores.head(2)));

// As columns.
const [batch] = await scores.batch(1_000).toArray();
console.log(
  batch!
    .column("score")
    .reduce((sum, score) => sum + score, 0)
    .toFixed(1),
);

// What a condition cannot say, a function can: it is given whole samples.
const dark = photos.filter((photo) => photo.pixels.at(0, 0, 0) < 10);
console.log(`${await dark.count()} dark ones`);

// What a run will do, step by step.
console.log(
  String(
    photos
      .where((photo) => or(photo.label.eq("dog"), photo.score.lt(0.1)))
      .select("score")
      .batch(64)
      .explain(),
  ),
);

// Prints:
// 40 good ones
// [{"label":"owl","score":0.8},{"label":"cat","score":0.9}]
// 34.0
// 20 dark ones
// shards
// decode  records  only label, score, as columns
// where   columns
// select  columns
// batch   columns
