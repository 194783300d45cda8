import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Dataset, dataset, defineSample, field, fromIterable, shardWriter } from "../../src/index.ts";
import { ShardIndexes } from "../../src/sources/shard-indexes.ts";
import { temporaryFolder } from "../temporary.ts";

// Smaller than `npm run bench -- --tasks random`, and with slack: tests share the machine. What they tell apart is "a part of it"
// from "all of it".
const folder = temporaryFolder();

/** The least of several, in ms. */
async function time(times: number, work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

describe("samples at any place", () => {
  it("cost a part of a pass", { timeout: 120_000 }, async () => {
    const Item = defineSample("Item", { id: field.int(), data: field.bytes() });
    const COUNT = 60_000;
    const made = fromIterable(Item, function* () {
      for (let id = 0; id < COUNT; id++) yield { id, data: new Uint8Array(1024).fill(id) };
    });
    const path = join(folder, "items");
    await made.pipeTo(shardWriter(join(path, "%d.tar"), { samplesPerShard: 5_000, index: true }));
    const open = () => dataset(path, Item);
    const pass = await time(2, () => open().toArray());
    expect(await time(5, () => open().sample(60, 1).toArray())).toBeLessThan(pass / 5);
    expect(await time(9, () => open().at(COUNT - 7))).toBeLessThan(pass / 20);

    const place = Math.floor(0.99 * COUNT);
    for (const plan of [open(), open().shuffle({ seed: 1 }), open().shuffle({ seed: 1, window: 500 })]) {
      const first = async (resume: Awaited<ReturnType<typeof checkpoint>> | undefined): Promise<void> => {
        const run = plan.run({ resume });
        await run.next();
        await run.return();
      };
      const start = await checkpoint(plan);
      const resume = { ...start, progress: { start: place, place: { position: place - 1, part: 0 } } };
      expect(await time(9, () => first(resume))).toBeLessThan(4 * (await time(9, () => first(undefined))) + 5);
    }
  });

  it("are found by an index of a million that loads at once and is small", { timeout: 120_000 }, async () => {
    const Tiny = defineSample("Tiny", { id: field.int() });
    const made = fromIterable(Tiny, function* () {
      for (let id = 0; id < 1_000_000; id++) yield { id };
    });
    const path = join(folder, "million.tar");
    await made.pipeTo(shardWriter(path, { index: true }));
    let bytes = 0;
    const loaded = await time(5, async () => {
      const entries = await (await new ShardIndexes({ members: "msgpack" }).open(path)).all();
      bytes = entries.length * 16;
      expect(entries.length).toBe(1_000_000);
    });
    expect(loaded).toBeLessThan(150);
    expect(bytes).toBeLessThan(20e6);
    expect((await dataset(path, Tiny).get("000765432"))!.id).toBe(765_432);
  });
});

async function checkpoint(plan: Dataset<unknown>) {
  const run = plan.run();
  await run.next();
  const checkpoint = run.checkpoint();
  await run.return();
  return checkpoint;
}
