import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Checkpoint, type Dataset, fromIterable } from "../../src/index.ts";
import { soakRuns } from "../soak.ts";

interface Item {
  readonly id: number;
  readonly copy?: number;
}

/** An operator of a random plan, by name and a number that shapes it. */
type Step = readonly [name: keyof typeof STEPS, n: number];

const STEPS = {
  filter: (ds: Dataset<Item>, n: number) => ds.filter((item) => (item.id * 7 + (item.copy ?? 0)) % (n + 2) > 0),
  map: (ds: Dataset<Item>, n: number) => ds.map((item) => ({ ...item, id: item.id + n })),
  asyncMap: (ds: Dataset<Item>, n: number) =>
    ds.map(async (item) => ({ ...item, id: item.id + 1 }), { concurrency: n + 1 }),
  flatMap: (ds: Dataset<Item>, n: number) =>
    ds.flatMap((item) => Array.from({ length: item.id % (n + 2) }, (_, copy) => ({ id: item.id, copy }))),
  shuffle: (ds: Dataset<Item>, n: number) => ds.shuffle({ window: 3 + 11 * n, seed: n }),
  take: (ds: Dataset<Item>, n: number) => ds.take(40 + 50 * n),
  skip: (ds: Dataset<Item>, n: number) => ds.skip(9 * n),
  tap: (ds: Dataset<Item>) => ds.tap(() => {}),
  prefetch: (ds: Dataset<Item>, n: number) => ds.prefetch(n + 1),
  batchAndBack: (ds: Dataset<Item>, n: number) => ds.batch(n + 2).flatMap((batch) => [...batch]),
  batchSums: (ds: Dataset<Item>, n: number) =>
    ds.batch(n + 2).map((batch) => ({ id: [...batch].reduce((sum, item) => sum + item.id, 0) })),
} satisfies Record<string, (ds: Dataset<Item>, n: number) => Dataset<Item>>;

const steps = fc.array(
  fc.tuple(fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])), fc.integer({ min: 0, max: 4 })),
  { minLength: 1, maxLength: 7 },
);

const planOf = (plan: readonly Step[], items: number): Dataset<Item> =>
  plan.reduce<Dataset<Item>>(
    (ds, [name, n]) => STEPS[name](ds, n),
    fromIterable(() => Array.from({ length: items }, (_, id) => ({ id }))),
  );

/** Goes through a dataset in pieces, each resumed from the checkpoint of the one before it, which went through JSON. */
async function inPieces<T>(plan: () => Dataset<T>, cuts: readonly number[]): Promise<T[]> {
  const all: T[] = [];
  let resume: Checkpoint | undefined;
  for (const cut of [...cuts, Infinity]) {
    const run = plan().run({ resume });
    let done = false;
    for (let i = 0; i < cut && !done; i++) {
      const next = await run.next();
      done = next.done === true;
      if (!next.done) all.push(next.value);
    }
    resume = JSON.parse(JSON.stringify(run.checkpoint())) as Checkpoint;
    expect(JSON.stringify(resume).length).toBeLessThan(4096);
    await run.return();
  }
  return all;
}

describe("run({ resume })", () => {
  it("goes on where any random plan was cut, as if it had never stopped", { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 0, max: 300 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
        async (plan, items, cuts) => {
          const whole = await planOf(plan, items).toArray();
          expect(await inPieces(() => planOf(plan, items), cuts)).toEqual(whole);
        },
      ),
      { seed: 20_250_101, numRuns: soakRuns(200), endOnFailure: false },
    );
  });

  it("goes on at every single place of a plan with flatMap, shuffle, filter, batch and take", async () => {
    const plan = (): Dataset<Item> =>
      planOf(
        [
          ["flatMap", 2],
          ["shuffle", 1],
          ["filter", 1],
          ["batchAndBack", 1],
          ["take", 1],
          ["shuffle", 0],
        ],
        60,
      );
    const whole = await plan().toArray();
    for (let cut = 1; cut <= whole.length; cut++) expect(await inPieces(plan, [cut])).toEqual(whole);
  });

  it("gives nothing more when the run had ended", async () => {
    const run = fromIterable(() => [1, 2, 3]).run();
    for await (const _ of run);
    expect(run.checkpoint().ended).toBe(true);
    expect(await fromIterable(() => [1, 2, 3]).toArray({ resume: run.checkpoint() })).toEqual([]);
  });

  it("refuses the checkpoint of another plan, naming what to do", async () => {
    const run = fromIterable(() => [1, 2, 3])
      .take(2)
      .run();
    await run.next();
    const other = fromIterable(() => [1, 2, 3])
      .take(3)
      .toArray({ resume: run.checkpoint() });
    await expect(other).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
      hint: expect.stringContaining("start anew"),
    });
  });

  it("takes the epoch of the checkpoint, and refuses another one beside it", async () => {
    const ds = fromIterable(() => Array.from({ length: 50 }, (_, i) => i)).shuffle({ window: 50 });
    const run = ds.epoch(3).run();
    const first = [(await run.next()).value, (await run.next()).value];
    const resume = run.checkpoint();
    expect([...first, ...(await ds.toArray({ resume }))]).toEqual(await ds.epoch(3).toArray());
    await expect(ds.epoch(4).toArray({ resume })).rejects.toMatchObject({ code: "CHECKPOINT_MISMATCH" });
  });

  it("refuses what is no checkpoint", async () => {
    const ds = fromIterable(() => [1]);
    for (const wrong of [{}, null, { version: 2 }, { version: 1, plan: "x" }] as never[]) {
      await expect(ds.toArray({ resume: wrong })).rejects.toThrow(/Cannot resume/);
    }
  });
});
