import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Checkpoint,
  concat,
  type Dataset,
  fromIterable,
  interleave,
  mix,
  type StopRule,
  zip,
} from "../../src/index.ts";
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

const planOf = (plan: readonly Step[], items: number): Dataset<Item> => stepsBehind(numbered(items), plan);

const numbered = (items: number): Dataset<Item> =>
  fromIterable(() => Array.from({ length: items }, (_, id) => ({ id })));
const stepsBehind = (ds: Dataset<Item>, plan: readonly Step[]): Dataset<Item> =>
  plan.reduce<Dataset<Item>>((longer, [name, n]) => STEPS[name](longer, n), ds);

/** A random plan with inputs, which may have inputs themselves: how they are combined, and what is done with the items. */
interface Tree {
  readonly combine: "concat" | "interleave" | "zip" | "mix" | "schedule";
  readonly stop: StopRule;
  readonly inputs: readonly (Tree | { readonly items: number; readonly steps: readonly Step[] })[];
  readonly steps: readonly Step[];
}

function datasetOf(tree: Tree["inputs"][number]): Dataset<Item> {
  if ("items" in tree) return planOf(tree.steps, tree.items);
  const { combine, stop, steps } = tree;
  const inputs = tree.inputs.map(datasetOf);
  const combined = {
    concat: () => concat(inputs),
    interleave: () => interleave(inputs, { stop }),
    zip: () => zip(inputs).map((items) => ({ id: items.reduce((sum, { id }) => sum + id, 0) })),
    mix: () => mix(inputs, { stop, weights: inputs.map((_, i) => 1 + ((i * 7) % 5)) }),
    schedule: () =>
      mix(inputs, {
        stop,
        weights: [
          { from: 0, weights: inputs.map((_, i) => (i === 0 ? 1 : 0)) },
          { from: 5, weights: inputs.map((_, i) => 0.3 * (i + 1)) },
          { from: 70, weights: inputs.map((_, i) => 1 / (i + 1)) },
        ],
      }),
  }[combine]();
  return stepsBehind(combined, steps);
}

const stepLists = fc.array(
  fc.tuple(fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])), fc.integer({ min: 0, max: 4 })),
  { maxLength: 3 },
);
const trees = fc.letrec<{ tree: Tree; input: Tree["inputs"][number] }>((tie) => ({
  tree: fc.record({
    combine: fc.constantFrom(
      "concat" as const,
      "interleave" as const,
      "zip" as const,
      "mix" as const,
      "schedule" as const,
    ),
    stop: fc.constantFrom<StopRule>("first-exhausted", "all-exhausted", "all-exhausted-without-repeats"),
    inputs: fc.array(tie("input"), { minLength: 1, maxLength: 4 }),
    steps: stepLists,
  }),
  input: fc.oneof(
    { maxDepth: 2, depthIdentifier: "nesting" },
    fc.record({ items: fc.integer({ min: 0, max: 90 }), steps: stepLists }),
    tie("tree"),
  ),
}));

/** Goes through a dataset in pieces, each resumed from the checkpoint of the one before it, which went through JSON. */
async function inPieces<T>(plan: () => Dataset<T>, cuts: readonly number[], most = 4096): Promise<T[]> {
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
    expect(JSON.stringify(resume).length).toBeLessThan(most);
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

  it("goes on where any random plan with combined inputs was cut", { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        trees.tree,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
        async (tree, cuts) => {
          // What starts over until a long input is at its end may be long.
          const plan = (): Dataset<Item> => datasetOf(tree).take(400);
          const whole = await plan().toArray();
          expect(await inPieces(plan, cuts, Number.POSITIVE_INFINITY)).toEqual(whole);
        },
      ),
      { seed: 20_250_102, numRuns: soakRuns(200), endOnFailure: false },
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
