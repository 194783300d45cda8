import { copyFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Dataset, dataset, defineSample, field, fromArray, fromIterable, shardWriter } from "../../src/index.ts";
import { shuffle } from "../../src/operators/index.ts";
import { readPicked } from "../../src/sources/read-picked.ts";
import { ShardSource } from "../../src/sources/shards.ts";
import { Faults } from "../../src/streams/faults.ts";
import { permutationOf } from "../../src/streams/permutation.ts";
import { randomNumbers } from "../../src/streams/random.ts";
import { soakRuns } from "../soak.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();
const Point = defineSample("Point", { id: field.int(), text: field.string() });
const COUNT = 3_000;
const all = Array.from({ length: COUNT }, (_, id) => ({ id, text: "x".repeat((id * 37) % 500) }));
const ids = (samples: Iterable<{ id: number }>): number[] => Array.from(samples, ({ id }) => id);
const indexed = join(folder, "indexed");
const plain = join(folder, "plain");
const points = dataset(indexed, Point);
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const everything = Array.from({ length: COUNT }, (_, id) => id);

beforeAll(async () => {
  for (const [path, index] of [
    [indexed, true],
    [plain, false],
  ] as const) {
    const options = { samplesPerShard: 170, index };
    await fromArray(Point, all).pipeTo(shardWriter(join(path, "points-%06d.tar"), options));
  }
});

/** The items of a run that is stopped after some, and of the one that goes on. */
async function cut(plan: Dataset<{ id: number }>, stop: number): Promise<number[]> {
  const run = plan.run();
  const seen: number[] = [];
  while (seen.length < stop) seen.push((await run.next()).value!.id);
  const resume = JSON.parse(JSON.stringify(run.checkpoint()));
  await run.return();
  for await (const { id } of plan.run({ resume })) seen.push(id);
  return seen;
}

describe("shuffle() without a window", () => {
  it("gives the permutation that count, seed and epoch have", async () => {
    for (const epoch of [0, 5]) {
      const order = permutationOf(COUNT, 42, epoch);
      const expected = everything.map((place) => order.at(place));
      expect(ids(await points.shuffle({ seed: 42 }).epoch(epoch).toArray())).toEqual(expected);
      expect(ids(await dataset(plain, Point).shuffle({ seed: 42 }).epoch(epoch).toArray())).toEqual(expected);
    }
  });

  it.each([1, 5_000, 60_000, 10 ** 9])("gives every sample once in blocks of %d bytes", async (blockBytes) => {
    const order = ids(await points.shuffle({ seed: 1, blockBytes }).toArray());
    expect(sorted(order)).toEqual(everything);
    expect(ids(await points.shuffle({ seed: 1, blockBytes }).toArray())).toEqual(order);
    expect(ids(await points.shuffle({ seed: 2, blockBytes }).toArray())).not.toEqual(order);
    expect(ids(await points.shuffle({ seed: 1, blockBytes }).epoch(1).toArray())).not.toEqual(order);
  });

  it("goes on where it stopped", { timeout: 120_000 }, async () => {
    const random = randomNumbers(3);
    const plans: readonly Dataset<{ id: number }>[] = [
      points.shuffle({ seed: 7 }),
      points.shuffle({ seed: 7, blockBytes: 100_000 }),
      points.filter(({ id }) => id % 3 > 0).shuffle({ seed: 7 }),
      points.slice(100, 900).shuffle({ seed: 7, blockBytes: 50_000 }).shuffle({ window: 64 }),
      points.shuffle({ seed: 7, window: 300 }),
      points,
      dataset(plain, Point).shuffle({ seed: 7 }),
    ];
    for (const plan of plans) {
      const whole = ids(await plan.toArray());
      for (let i = 0; i < soakRuns(3); i++) {
        expect(await cut(plan, 1 + Math.floor(random() * (whole.length - 1)))).toEqual(whole);
      }
      expect(await cut(plan, whole.length - 1)).toEqual(whole);
    }
  });

  it("keeps the order of a window when indexes come and go", async () => {
    const order = (path: string) => dataset(path, Point).shuffle({ seed: 5, window: 400 }).toArray();
    expect(ids(await order(indexed))).toEqual(ids(await order(plain)));
    const run = dataset(plain, Point).shuffle({ seed: 5, window: 400 }).run();
    for (let i = 0; i < 1234; i++) await run.next();
    const resume = run.checkpoint();
    await run.return();
    const rest = dataset(indexed, Point).shuffle({ seed: 5, window: 400 }).run({ resume });
    expect(ids(await Array.fromAsync(rest))).toEqual(ids((await order(plain)).slice(1234)));
  });

  it("reads only the positions of its share", async () => {
    const source = new ShardSource(indexed, Point, {});
    const { signal } = new AbortController();
    const order = permutationOf(COUNT, 9, 0);
    const read = async (rank: number): Promise<number[]> => {
      const share = {
        next(position: number) {
          const run = Math.floor(position / 64);
          const own = run + ((rank - (run % 3) + 3) % 3);
          const from = own === run ? position : own * 64;
          return { from, to: (own + 1) * 64 };
        },
      };
      const permute = { seed: 9, epoch: 0 };
      const faults = new Faults("raise", signal);
      const request = { from: 0, resume: undefined, epoch: 0, share, interleave: undefined, permute, faults, signal };
      const seen: number[] = [];
      for await (const { trace, length } of readPicked(source, [], request)) {
        for (let row = 0; row < length; row++) {
          const position = trace.position(row);
          expect(Math.floor(position / 64) % 3).toBe(rank);
          expect(Number(trace.origin(row).key)).toBe(order.at(position));
          seen.push(position);
        }
      }
      return seen;
    };
    const seen = await Promise.all([read(0), read(1), read(2)]);
    expect(sorted(seen.flat())).toEqual(everything);
  });

  it("stands right behind what can be read at any place, and nowhere else", () => {
    expect(() => points.take(5).shuffle({ seed: 1 })).toThrow(
      new TypeError(
        "Cannot shuffle all samples: it must come before take, right behind the source; pass a window, as in shuffle({ window: 10_000 })",
      ),
    );
    expect(() => points.batch(5).shuffle({ seed: 1 })).toThrow(TypeError);
    expect(() => points.flatMap((point) => [point]).shuffle({ seed: 1 })).toThrow(TypeError);
    expect(() => points.shuffle({ seed: 1 }).shuffle({ seed: 1 })).toThrow(TypeError);
    expect(() => fromIterable(new Set([1])).shuffle({ seed: 1 })).toThrow(/fromIterable cannot be read in any order/);
    expect(() => shuffle({ seed: 1 }).readable).toThrow(TypeError);
    expect(() => shuffle({ window: 5, blockBytes: 5 })).toThrow(TypeError);
    expect(() => shuffle({ blockBytes: 0 })).toThrow(RangeError);
    expect(String(points.shuffle({ seed: 3 }).explain())).toMatch(/order made from seed 3 and epoch 0/);
  });

  it("notices on resuming in order that a shard is not that of its index", async () => {
    const path = join(folder, "changed");
    const write = (from: number, samples = 300) =>
      fromArray(
        Point,
        all.slice(0, samples).map(({ id }) => ({ id, text: "" })),
      ).pipeTo(
        shardWriter(join(path, "a.tar"), { key: ({ id }) => `k${1000 + from + id}`, index: true, overwrite: true }),
      );
    for (const other of [() => write(5), () => write(0, 299)]) {
      await write(0);
      const run = dataset(path, Point).run();
      for (let i = 0; i < 200; i++) await run.next();
      const resume = run.checkpoint();
      await run.return();
      const [name] = readdirSync(path).filter((file) => file.endsWith(".index"));
      copyFileSync(join(path, name!), join(folder, "kept"));
      await other();
      copyFileSync(join(folder, "kept"), join(path, name!));
      await expect(dataset(path, Point).run({ resume }).next()).rejects.toMatchObject({ code: "INDEX_STALE" });
      rmSync(join(path, name!));
    }
  });
});

describe("explainShuffle()", () => {
  it("forecasts the very order that comes", async () => {
    for (const plan of [
      points.shuffle({ seed: 4 }),
      points.shuffle({ seed: 4, blockBytes: 80_000 }),
      points.shuffle({ seed: 4, window: 700 }),
      points,
    ]) {
      const forecast = await plan.batch(16).explainShuffle();
      const numbers = ids(await plan.toArray());
      const shards = (from: number, to: number) =>
        new Set(numbers.slice(from, to).map((id) => Math.floor(id / 170))).size;
      const looks = Math.floor(COUNT / 256);
      const starts = Array.from({ length: looks }, (_, i) => Math.floor((i * COUNT) / looks));
      const mean = (size: number) => starts.reduce((sum, start) => sum + shards(start, start + size), 0) / looks;
      expect(forecast).toMatchObject({ samples: COUNT, shards: 18, batchSize: 16 });
      expect(forecast.shardsPerBatch).toBeCloseTo(mean(16), 9);
      expect(forecast.shardsPer256).toBeCloseTo(mean(256), 9);
      expect(String(forecast)).toMatch(/^shards in 256 samples {2}/m);
    }
    await expect(fromArray([1]).explainShuffle()).rejects.toThrow(TypeError);
  });

  it("tells how well 200 shards of 1,000 samples are mixed", { timeout: 120_000 }, async () => {
    const Tiny = defineSample("Tiny", { id: field.int() });
    const made = fromIterable(Tiny, function* () {
      for (let id = 0; id < 200_000; id++) yield { id };
    });
    await made.pipeTo(shardWriter(join(folder, "many", "%04d.tar"), { samplesPerShard: 1_000, index: true }));
    const many = dataset(join(folder, "many"), Tiny);
    /** Measured, not forecast: the first windows of 256 of a real pass. */
    const measured = async (plan: Dataset<{ id: number }>): Promise<number> => {
      const numbers = ids(await plan.take(256 * 100).toArray());
      let distinct = 0;
      for (let at = 0; at < numbers.length; at += 256) {
        distinct += new Set(numbers.slice(at, at + 256).map((id) => Math.floor(id / 1_000))).size;
      }
      return distinct / 100;
    };
    const plans = {
      all: many.shuffle({ seed: 1 }),
      blocks: many.shuffle({ seed: 1, blockBytes: 10 << 20 }),
      window: many.shuffle({ seed: 1, window: 10_000 }),
    };
    const figures = {
      all: await measured(plans.all),
      blocks: await measured(plans.blocks),
      window: await measured(plans.window),
    };
    const forecasts = { all: await plans.all.explainShuffle(), window: await plans.window.explainShuffle() };
    expect(figures.all).toBeGreaterThanOrEqual(140);
    expect(figures.blocks).toBeGreaterThanOrEqual(80);
    expect(figures.window).toBeGreaterThanOrEqual(40);
    expect(forecasts.all.uniformPer256).toBeCloseTo(144.6, 0);
    expect(Math.abs(forecasts.all.shardsPer256 - figures.all)).toBeLessThan(4);
    expect(forecasts.all.adjacentRate).toBeLessThan(0.001);
    expect(forecasts.all.displacement).toBeGreaterThan(0.3);
    expect(forecasts.window.shardsPer256).toBeGreaterThanOrEqual(40);
  });
});
