/** Real digits, moved at random, as a job: on two threads, and once more, which does only what is missing. */
import { rm } from "node:fs/promises";
import { dataset, fromIterable, shardWriter } from "shardstream";
import { convert } from "shardstream/jobs";
import { threads } from "shardstream/threads";
import { Digit, jitter } from "./lib/augment-digits.ts";
import { takeDigits } from "./lib/mnist.ts";

await rm("data/moved", { recursive: true, force: true });
await fromIterable(Digit, takeDigits("test")).pipeTo(
  shardWriter("data/digits-%02d.tar", { samplesPerShard: 250, overwrite: true }),
);

const executor = threads({ size: 2 });
const job = () =>
  convert("data/digits-*.tar", "data/moved", { type: Digit, map: jitter({ most: 3 }), resume: true, executor });

const first = await job();
console.log(`${first.samples} digits in ${first.shards.length} shards`);

// Something happens to one of them
await rm("data/moved/digits-02.tar");
const second = await job();
console.log(`${second.kept} shards kept, ${second.shards.length - second.kept} made again`);
console.log(`the same bytes: ${first.shards[2]!.sha256 === second.shards[2]!.sha256}`);

// The offset indexes were written on the way
const moved = dataset("data/moved", Digit);
await executor[Symbol.asyncDispose](); // on Node 24, Deno and Bun `await using executor = …` does it
console.log(`the last one is a ${(await moved.at(-1))!.label}`);

// Prints:
// 1005 digits in 5 shards
// 4 shards kept, 1 made again
// the same bytes: true
// the last one is a 9
