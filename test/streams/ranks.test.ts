import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type Checkpoint,
  type Dataset,
  dataset,
  defineSample,
  field,
  fromArray,
  fromIterable,
  fromJsonLines,
  Ledger,
  mergeCheckpoints,
  mix,
  shardWriter,
  verifyLedger,
} from "../../src/index.ts";
import { soakRuns } from "../soak.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** What each rank hands out. */
const byRank = <T>(plan: Dataset<T>, worldSize: number): Promise<T[][]> =>
  Promise.all(numbers(worldSize).map((rank) => plan.toArray({ rank, worldSize })));

/** Whether `part` is what is left of `whole` when some items are taken out. */
function isSubsequence<T>(part: readonly T[], whole: readonly T[]): boolean {
  const places = new Map(whole.map((item, place) => [JSON.stringify(item), place]));
  return part.every(
    (item, i) => i === 0 || places.get(JSON.stringify(part[i - 1]))! < places.get(JSON.stringify(item))!,
  );
}

const asText = (items: readonly unknown[]): string[] => items.map((item) => JSON.stringify(item)).sort();

/** Operators that ranks can share. Their items stay distinct. */
const STEPS = {
  filter: (ds: Dataset<number[]>, n: number) => ds.filter(([id]) => (id! * 7) % (n + 2) > 0),
  map: (ds: Dataset<number[]>, n: number) => ds.map((item) => [...item, n]),
  asyncMap: (ds: Dataset<number[]>, n: number) => ds.map(async (item) => item, { concurrency: n + 1 }),
  flatMap: (ds: Dataset<number[]>, n: number) =>
    ds.flatMap((item) => numbers(item[0]! % (n + 2)).map((copy) => [...item, copy])),
  shuffle: (ds: Dataset<number[]>, n: number) => ds.shuffle({ window: 20 + 90 * n, seed: n }),
  prefetch: (ds: Dataset<number[]>, n: number) => ds.prefetch(n + 1),
} satisfies Record<string, (ds: Dataset<number[]>, n: number) => Dataset<number[]>>;

const steps = fc.array(
  fc.tuple(fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])), fc.integer({ min: 0, max: 4 })),
  { maxLength: 5 },
);

const planOf = (plan: readonly (readonly [keyof typeof STEPS, number])[], items: number): Dataset<number[]> =>
  plan.reduce<Dataset<number[]>>(
    (ds, [name, n]) => STEPS[name](ds, n),
    fromIterable(() => numbers(items).map((i) => [i])),
  );

describe("run({ rank, worldSize })", () => {
  it("gives each item to one rank, in the order that one rank alone would have", { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 0, max: 900 }),
        fc.integer({ min: 1, max: 7 }),
        async (plan, n, size) => {
          // A second shuffle or flatMap may number its input anew, which no rank can do alone.
          const isOnce = (name: string): boolean => plan.filter(([step]) => step === name).length <= 1;
          fc.pre(isOnce("flatMap") && isOnce("shuffle"));
          const whole = await planOf(plan, n).toArray();
          const parts = await byRank(planOf(plan, n), size);
          expect(asText(parts.flat())).toEqual(asText(whole));
          for (const part of parts) expect(isSubsequence(part, whole)).toBe(true);
        },
      ),
      { seed: 20_250_102, numRuns: soakRuns(60), endOnFailure: false },
    );
  });

  it("goes on with another number of ranks from wherever each of them was", { timeout: 300_000 }, async () => {
    const generation = fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 0, max: 900 }),
        fc.array(generation, { minLength: 1, maxLength: 5 }),
        async (plan, items, generations) => {
          const isOnce = (name: string): boolean => plan.filter(([step]) => step === name).length <= 1;
          fc.pre(isOnce("flatMap") && isOnce("shuffle"));
          const whole = await planOf(plan, items).toArray();
          const all: number[][] = [];
          let resume: Checkpoint | undefined;
          for (const cuts of [...generations, [Infinity]]) {
            const saved: Checkpoint[] = [];
            for (const [rank, cut] of cuts.entries()) {
              const run = planOf(plan, items).run({ rank, worldSize: cuts.length, resume });
              let done = false;
              for (let i = 0; i < cut && !done; i++) {
                const next = await run.next();
                done = next.done === true;
                if (!next.done) all.push(next.value);
              }
              if (cut > 0) saved.push(run.checkpoint());
              await run.return();
            }
            if (saved.length > 0) resume = JSON.parse(JSON.stringify(mergeCheckpoints(saved))) as Checkpoint;
            expect(JSON.stringify(resume ?? null).length).toBeLessThan(4096);
          }
          expect(asText(all)).toEqual(asText(whole));
        },
      ),
      { seed: 20_250_103, numRuns: soakRuns(100), endOnFailure: false },
    );
  });

  it("shares out shards, also over more ranks than there are shards", async () => {
    const Point = defineSample("Point", { n: field.int() });
    const pattern = `${folder}/p-%03d.tar`;
    await fromArray(
      Point,
      numbers(1000).map((n) => ({ n })),
    ).pipeTo(shardWriter(pattern, { samplesPerShard: 300 }));
    const ds = dataset(folder, Point);
    for (const plan of [
      ds,
      ds.shuffle({ window: 200, seed: 3 }),
      ds.filter(({ n }) => n % 3 > 0).shuffle({ window: 77 }),
    ]) {
      const whole = await plan.toArray();
      for (const size of [2, 3, 8, 20]) {
        const parts = await byRank(plan, size);
        expect(asText(parts.flat())).toEqual(asText(whole));
        for (const part of parts) expect(isSubsequence(part, whole)).toBe(true);
      }
    }
    expect(await ds.countByShard()).toEqual(
      [300, 300, 300, 100].map((samples, i) => ({ shard: `${folder}/p-00${i}.tar`, samples })),
    );
  });

  it("counts what it shares out: take and skip name the same items on any number of ranks", async () => {
    const plan = fromArray(numbers(500)).skip(100).take(333);
    for (const size of [1, 2, 5])
      expect((await byRank(plan, size)).flat().sort((a, b) => a - b)).toEqual(await plan.toArray());
  });

  it("shares out a mix, and goes on with it as long as it stays the same", async () => {
    const [a, b] = [fromArray(numbers(300)), fromArray(numbers(400)).map((n) => 1000 + n)];
    const plan = (weight: number) =>
      mix([a.filter((n) => n % 3 > 0), b], { weights: [1, weight] }).shuffle({ window: 100, seed: 5 });
    const whole = await plan(2).toArray();
    for (const size of [2, 3]) {
      const parts = await byRank(plan(2), size);
      expect(asText(parts.flat())).toEqual(asText(whole));
      for (const part of parts) expect(isSubsequence(part, whole)).toBe(true);
    }
    const seen: number[] = [];
    const saved: Checkpoint[] = [];
    for (const [rank, count] of [120, 70, 1].entries()) {
      const run = plan(2).run({ rank, worldSize: 3 });
      for (let i = 0; i < count; i++) seen.push((await run.next()).value!);
      saved.push(run.checkpoint());
      await run.return();
    }
    const resume = mergeCheckpoints(saved);
    const rest = await Promise.all([0, 1].map((rank) => plan(2).toArray({ rank, worldSize: 2, resume })));
    expect(asText([...seen, ...rest.flat()])).toEqual(asText(whole));
    const changed = plan(3).toArray({ rank: 0, worldSize: 2, resume });
    await expect(changed).rejects.toMatchObject({ code: "CHECKPOINT_MISMATCH" });
    // From one rank to several, too.
    const run = plan(2).run();
    const first = [(await run.next()).value, (await run.next()).value];
    const one = run.checkpoint();
    const others = await Promise.all([0, 1].map((rank) => plan(2).toArray({ rank, worldSize: 2, resume: one })));
    expect(asText([...first, ...others.flat()])).toEqual(asText(whole));
  });

  it("makes ranks even by repeating first samples, or by leaving last ones out", async () => {
    for (const count of [0, 1, 63, 64, 65, 128, 200, 1000]) {
      const ds = fromArray(numbers(count));
      for (const size of [1, 2, 3, 7]) {
        const padded = new Ledger();
        const lengths = new Set<number>();
        const all: number[] = [];
        for (let rank = 0; rank < size; rank++) {
          const part = await ds.toArray({ rank, worldSize: size, even: "pad", ledger: padded });
          lengths.add(part.length);
          all.push(...part);
        }
        expect(lengths.size).toBe(1);
        expect(new Set(all).size).toBe(count);
        expect((await verifyLedger(padded, ds)).complete).toBe(true);
        const repeats = padded.toJSON().shards.reduce((sum, shard) => sum + shard.padded, 0);
        expect(all.length).toBe(count + repeats);
        expect(repeats).toBeLessThan(64 * size);

        const dropped = await Promise.all(
          numbers(size).map((rank) => ds.toArray({ rank, worldSize: size, even: "drop" })),
        );
        expect(new Set(dropped.map((part) => part.length)).size).toBe(1);
        expect(new Set(dropped.flat()).size).toBe(dropped.flat().length);
        expect(dropped.flat().length).toBeGreaterThan(count - 64 * size);
      }
    }
  });

  it("pads shuffled shards too", async () => {
    const Point = defineSample("Point", { n: field.int() });
    await fromArray(
      Point,
      numbers(700).map((n) => ({ n })),
    ).pipeTo(shardWriter(`${folder}/padded/p-%03d.tar`, { samplesPerShard: 90 }));
    const ds = dataset(`${folder}/padded`, Point).shuffle({ window: 100, seed: 1 });
    const ledger = new Ledger();
    const parts = await Promise.all(numbers(3).map((rank) => ds.toArray({ rank, worldSize: 3, even: "pad", ledger })));
    expect(parts.map((part) => part.length)).toEqual([256, 256, 256]);
    expect(await verifyLedger(ledger, ds)).toMatchObject({ complete: true, missing: [], repeated: [] });
  });

  it("refuses what no rank can do alone, naming both operators", async () => {
    const ds = fromArray(numbers(10));
    const ranks = { rank: 0, worldSize: 2 } as const;
    const refused = { code: "RANK_UNSUPPORTED" };
    await expect(
      ds
        .filter((n) => n > 1)
        .take(3)
        .toArray(ranks),
    ).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("filter"),
      hint: "move take before filter",
    });
    await expect(ds.shuffle({ window: 5 }).skip(1).toArray(ranks)).rejects.toMatchObject(refused);
    await expect(ds.batch(2).shuffle({ window: 2 }).toArray(ranks)).rejects.toMatchObject(refused);
    await expect(ds.filter(() => true).toArray({ ...ranks, even: "pad" })).rejects.toMatchObject(refused);
    await expect(fromIterable(() => [1]).toArray({ ...ranks, even: "drop" })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("number of samples"),
    });
    expect(() => ds.run({ rank: 2, worldSize: 2 })).toThrow(RangeError);
    expect(() => ds.run({ rank: 1 })).toThrow(TypeError);
    expect(() => ds.run({ rank: 0, worldSize: 2, even: "equal" as never })).toThrow(TypeError);
  });

  it("refuses to count behind what may leave out samples that fail", async () => {
    const lines = `${folder}/lines.jsonl`;
    writeFileSync(lines, "1\n2\nthree\n4\n");
    const same = (n: number): number => n;
    const ranks = { rank: 0, worldSize: 2, onError: "skip" } as const;
    for (const plan of [fromArray([1, 2]).map(same).take(1), fromJsonLines<number>(lines).skip(1)]) {
      await expect(plan.toArray(ranks)).rejects.toMatchObject({
        code: "RANK_UNSUPPORTED",
        hint: expect.stringContaining('onError: "raise"'),
      });
      expect(await plan.toArray({ ...ranks, rank: 1, worldSize: 2, onError: "raise" }).catch(() => [])).toEqual([]);
    }
    const even = fromArray([1, 2]).toArray({ ...ranks, even: "pad" });
    await expect(even).rejects.toMatchObject({ code: "RANK_UNSUPPORTED" });
    expect(await fromArray([1, 2]).take(1).map(same).toArray(ranks)).toEqual([1]);
  });

  it("refuses to go on from the checkpoint of one rank as another", async () => {
    const ds = fromArray(numbers(300));
    const run = ds.run({ rank: 1, worldSize: 2 });
    await run.next();
    const resume = run.checkpoint();
    await expect(ds.toArray({ rank: 0, worldSize: 3, resume })).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
      hint: expect.stringContaining("mergeCheckpoints"),
    });
    // The same rank goes on by itself.
    expect(await ds.toArray({ rank: 1, worldSize: 2, resume })).toEqual(
      (await ds.toArray({ rank: 1, worldSize: 2 })).slice(1),
    );
  });
});

describe("RANK and WORLD_SIZE", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it("are an error where a run does not say which part it reads", async () => {
    vi.stubEnv("RANK", "1");
    vi.stubEnv("WORLD_SIZE", "4");
    const ds = fromArray(numbers(10));
    expect(() => ds.run()).toThrow(expect.objectContaining({ code: "RANK_REQUIRED" }));
    expect(await ds.toArray({ rank: 0, worldSize: 1 })).toHaveLength(10);
    vi.stubEnv("WORLD_SIZE", "1");
    expect(await ds.toArray()).toHaveLength(10);
  });
});

describe("Ledger", () => {
  it("tells what is missing, repeated and unknown", async () => {
    const ds = fromArray(numbers(100));
    const ledger = new Ledger();
    await ds
      .filter((n) => n < 40 || n >= 50)
      .batch(7)
      .toArray({ ledger });
    expect(await verifyLedger(ledger, ds)).toEqual({
      complete: false,
      missing: [{ shard: "", from: 40, to: 50 }],
      repeated: [],
      unknown: [],
    });
    await ds.take(3).toArray({ ledger });
    expect((await verifyLedger(ledger, ds)).repeated).toEqual([{ shard: "", from: 0, to: 3 }]);
    expect((await verifyLedger(ledger, fromArray(numbers(98)))).unknown).toEqual([{ shard: "", from: 98, to: 100 }]);
  });

  it("is merged over ranks, and goes through JSON", async () => {
    const ds = fromArray(numbers(1000)).shuffle({ window: 300 });
    const ledgers = await Promise.all(
      numbers(4).map(async (rank) => {
        const ledger = new Ledger();
        for await (const _ of ds.run({ rank, worldSize: 4, ledger }));
        return new Ledger(JSON.parse(JSON.stringify(ledger)));
      }),
    );
    expect((await verifyLedger(ledgers[0]!, ds)).complete).toBe(false);
    expect((await verifyLedger(Ledger.merge(ledgers), ds)).complete).toBe(true);
    expect((await verifyLedger(Ledger.merge([...ledgers, ledgers[2]!]), ds)).repeated.length).toBeGreaterThan(0);
  });

  it("counts outputs of flatMap one by one", async () => {
    const ds = fromArray(numbers(10)).flatMap((n) => [n, n]);
    const ledger = new Ledger();
    await ds.toArray({ ledger });
    expect((await verifyLedger(ledger, ds)).complete).toBe(true);
  });
});
