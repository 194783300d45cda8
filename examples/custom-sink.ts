/** Samples into any WritableStream, from one that you write to those of the platform. */
import { createWriteStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { Writable } from "node:stream";
import { type Batch, fromIterable } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

const photos = fromIterable(Photo, () => takePhotos(100));

/** Sums up the scores of each label. `write` may wait: nothing more is read meanwhile. */
class ScoreSink extends WritableStream<Batch<Photo>> {
  readonly totals = new Map<string, number>();

  constructor() {
    super({
      write: (batch) => {
        const scores = batch.column("score");
        for (const [i, label] of batch.column("label").entries()) {
          this.totals.set(label, (this.totals.get(label) ?? 0) + scores[i]!);
        }
      },
      close: () => console.log("closed"),
      abort: (reason) => console.log(`given up: ${(reason as Error).message}`),
    });
  }
}

const sink = new ScoreSink();
await photos.batch(32).pipeTo(sink);
for (const [label, total] of sink.totals) console.log(`${label}: ${total.toFixed(1)}`);

// An abort reaches the sink, and the caller gets the reason.
const controller = new AbortController();
const stopping = photos.tap((_, { origin }) => {
  if (origin.index === 50) controller.abort(new Error("enough"));
});
await stopping
  .batch(10)
  .pipeTo(new ScoreSink(), { signal: controller.signal })
  .catch((error: Error) => console.log(`caught: ${error.message}`));

// A file of the platform: text, one line a sample.
await mkdir("data", { recursive: true });
const file = Writable.toWeb(createWriteStream("data/labels.txt")) as WritableStream<string>;
await photos.map(({ label }) => `${label}\n`).pipeTo(file);
console.log(`${(await stat("data/labels.txt")).size} bytes in labels.txt`);

// Prints:
// closed
// cat: 15.3
// dog: 14.7
// owl: 15.0
// given up: enough
// caught: enough
// 400 bytes in labels.txt
