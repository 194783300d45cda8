/** What a training loop needs: a seeded order, another one in each epoch, and batches with columns. */
import { dataset, fromIterable, shardWriter } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

const writer = shardWriter("data/train-%06d.tar", { samplesPerShard: 250, overwrite: true });
await fromIterable(Photo, takePhotos(1_000)).pipeTo(writer);

// A window of 500 samples is held in memory and mixed; shards are taken in a seeded order too.
const train = dataset("data/train-*.tar", Photo).shuffle({ window: 500, seed: 42 }).batch(32, { dropLast: true });

for (const epoch of [0, 1]) {
  let batches = 0;
  for await (const batch of train.epoch(epoch)) {
    const pixels = batch.column("pixels"); // NdArray [32, 8, 8, 3]: one typed array, ready for a tensor
    const scores = batch.column("score"); // Float64Array
    const labels = batch.column("label"); // readonly string[]
    if (batches++ === 0) {
      console.log(
        `epoch ${epoch}: first batch [${pixels.shape.join(", ")}], ${scores.length} scores, ${labels.slice(0, 5).join(" ")}`,
      );
    }
  }
  console.log(`epoch ${epoch}: ${batches} batches`);
}

// The order depends on the data, the seed and the epoch, and on nothing else: a second pass is the same.
const [first] = await train.epoch(1).head(1);
const [again] = await train.epoch(1).head(1);
console.log(`same again: ${first!.column("pixels").equals(again!.column("pixels"))}`);

// A batch is also a list of samples, and knows where each of them comes from.
for (const photo of first!) {
  console.log(`a sample of it: ${photo.label}, key ${first!.origin(0).key}`);
  break;
}

// For large arrays: batches whose memory is used again. Each is valid until the next one is asked for.
let sum = 0;
for await (const batch of dataset("data/train-*.tar", Photo).batch(32, { recycle: true })) {
  for (const score of batch.column("score")) sum += score;
}
console.log(`sum of scores: ${sum.toFixed(1)}`);

// Prints:
// epoch 0: first batch [32, 8, 8, 3], 32 scores, owl cat owl dog dog
// epoch 0: 31 batches
// epoch 1: first batch [32, 8, 8, 3], 32 scores, dog cat owl cat owl
// epoch 1: 31 batches
// same again: true
// a sample of it: dog, key 000000331
// sum of scores: 450.0
