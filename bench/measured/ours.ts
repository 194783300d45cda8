// shardstream, as its users have it: one way to go through a data set, or writing it.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Batch } from "../../src/index.ts";
import { type Pass, serve, task } from "./serve.ts";
import { benchSet, type Shardstream } from "./sets.ts";

const lib: Shardstream = await import(task.dist);
const { type, one, many } = benchSet(lib, task.set);
const data = lib.dataset(task.shards, type);

async function batches(plan: AsyncIterable<Batch>): Promise<Pass> {
  let samples = 0;
  let check = 0;
  for await (const batch of plan) {
    samples += batch.length;
    check += many(batch);
  }
  return { samples, check };
}

async function oneByOne(plan: AsyncIterable<unknown>): Promise<Pass> {
  let samples = 0;
  let check = 0;
  for await (const sample of plan) {
    samples++;
    check += one(sample);
  }
  return { samples, check };
}

const shardOptions = { samplesPerShard: task.samplesPerShard, overwrite: true };

switch (task.variant) {
  case "batches, recycled":
    await serve(() => batches(data.batch(64, { recycle: true })));
    break;
  case "batches, fresh":
    await serve(() => batches(data.batch(64)));
    break;
  case "one by one":
    await serve(() => oneByOne(data));
    break;
  case "shuffled batches":
    await serve(() => batches(data.shuffle({ window: 10_000, seed: 7 }).batch(64, { recycle: true })));
    break;
  case "write": {
    const plan = lib.fromArray(type, await data.toArray());
    let pass = 0;
    let check: number | undefined;
    const folder = () => join(task.scratch, String(pass));
    // To a new folder each time, as the peers do: freeing the pages of an old file takes as long as filling new ones.
    await serve(
      async () => {
        const written = await plan.pipeTo(lib.shardWriter(join(folder(), "data-%06d.tar"), shardOptions));
        return { samples: written.samples };
      },
      async () => {
        check ??= (await oneByOne(lib.dataset(folder(), type))).check!;
        await rm(folder(), { recursive: true });
        pass++;
        return check;
      },
    );
    break;
  }
  case "copy": // makes the shards for the comparison with the floor
    await data.pipeTo(lib.shardWriter(join(task.scratch, "data-%06d.tar"), shardOptions));
    break;
}
