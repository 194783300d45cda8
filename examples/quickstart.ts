/**
 * Ten thousand handwritten digits: written to typed shards, streamed back shuffled and in batches, into a small classifier.
 *
 *     npm run quickstart
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataset, defineSample, field, fromIterable, shardWriter } from "shardstream";
import { drawDigits } from "./lib/draw-digits.ts";
import { takeDigits } from "./lib/mnist.ts";
import { SoftmaxClassifier } from "./lib/softmax.ts";

// 1. What a sample is. TypeScript knows it too: { pixels: NdArray<"uint8">; label: number }.
const Digit = defineSample("Digit", { pixels: field.ndarray("uint8", [28, 28]), label: field.int() });

// 2. Write shards: tar files of 1,000 samples each.
const folder = join(tmpdir(), "shardstream-quickstart");
for (const part of ["train", "test"] as const) {
  const writer = shardWriter(join(folder, `${part}-%06d.tar`), { samplesPerShard: 1_000, overwrite: true });
  const { samples, shards } = await fromIterable(Digit, takeDigits(part)).pipeTo(writer);
  console.log(`wrote ${samples} digits to ${shards.length} shards, ${join(folder, part)}-*.tar`);
}

// 3. Read them back as batches of columns, in an order that is mixed anew in each epoch, the same way in each run.
const train = dataset(join(folder, "train-*.tar"), Digit).shuffle({ window: 5_000, seed: 42 }).batch(64);
const classifier = new SoftmaxClassifier(28 * 28, 10);
for (const epoch of [0, 1]) {
  const start = performance.now();
  let [seen, loss] = [0, 0];
  for await (const batch of train.epoch(epoch)) {
    loss += classifier.train(batch.column("pixels"), batch.column("label")); // [64, 28, 28] and Float64Array
    seen += batch.length;
  }
  console.log(
    `epoch ${epoch}: mean loss ${(loss / seen).toFixed(3)}, ${perSecond(seen, start)} samples/s read and learned`,
  );
}
const start = performance.now();
let read = 0;
for await (const batch of train.epoch(2)) read += batch.length;
console.log(`reading alone: ${perSecond(read, start)} samples/s`);

// 4. How well does it know digits that it never saw?
const [test] = await dataset(join(folder, "test-*.tar"), Digit).shuffle({ window: 5_000 }).batch(5_000).toArray();
const [pixels, labels] = [test!.column("pixels"), test!.column("label")];
const predicted = classifier.predict(pixels);
const right = predicted.filter((digit, i) => digit === labels[i]).length;
console.log(`\n${drawDigits(pixels, 7)}`);
console.log(
  [...predicted.subarray(0, 7)]
    .map((digit, i) => (digit === labels[i] ? `${digit}` : `${digit}, not ${labels[i]}`).padEnd(11))
    .join(""),
);
console.log(`\naccuracy on ${labels.length} digits that it never saw: ${(right / labels.length).toFixed(3)}`);
if (right / labels.length <= 0.85) process.exitCode = 1;

function perSecond(samples: number, since: number): string {
  return Math.round(samples / ((performance.now() - since) / 1000)).toLocaleString("en");
}
