import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Dataset as DatasetClass } from "../src/dataset.ts";
import {
  type Checkpoint,
  concat,
  type Dataset,
  defineSample,
  field,
  fromArray,
  fromIterable,
  interleave,
  type MixOptions,
  mix,
  zip,
} from "../src/index.ts";
import { ShardSource } from "../src/sources/index.ts";
import { ownPositions } from "../src/sources/own-positions.ts";
import { rowChunk, rowsOf } from "../src/streams/chunk.ts";
import type { Share } from "../src/streams/share.ts";
import { SourceTrace } from "../src/streams/source-trace.ts";
import { soakRuns } from "./soak.ts";

/** `count` numbers from `first` on. */
const numbers = (count: number, first = 0): Dataset<number> =>
  fromIterable(() => Array.from({ length: count }, (_, i) => first + i));
const three = [numbers(3), numbers(4, 10), numbers(5, 20)];

describe("concat()", () => {
  it("gives one dataset after another, empty ones too", async () => {
    expect(await concat([numbers(2), numbers(0), numbers(2, 10)]).toArray()).toEqual([0, 1, 10, 11]);
  });
});

describe("interleave() and mix()", () => {
  it("end at the turn of one that has no more: first-exhausted", async () => {
    expect(await interleave(three, { stop: "first-exhausted" }).toArray()).toEqual([0, 10, 20, 1, 11, 21, 2, 12, 22]);
    // Not as soon as one is at its end: the others have their turn until it is asked again.
    const two = interleave([numbers(2), numbers(2, 10)], { stop: "first-exhausted" });
    expect(await two.toArray()).toEqual([0, 10, 1, 11]);
  });

  it("end when each was given once, those that are shorter again: all-exhausted", async () => {
    expect(await interleave(three, { stop: "all-exhausted" }).toArray()).toEqual([
      0, 10, 20, 1, 11, 21, 2, 12, 22, 0, 13, 23, 1, 10, 24,
    ]);
  });

  it("end when none has more: all-exhausted-without-repeats, which is the default", async () => {
    const expected = [0, 10, 20, 1, 11, 21, 2, 12, 22, 13, 23, 24];
    expect(await interleave(three, { stop: "all-exhausted-without-repeats" }).toArray()).toEqual(expected);
    expect(await interleave(three).toArray()).toEqual(expected);
  });

  it("pass over empty datasets, also where all are", async () => {
    for (const stop of ["all-exhausted", "all-exhausted-without-repeats"] as const) {
      expect(await interleave([numbers(0), numbers(2)], { stop }).toArray()).toEqual([0, 1]);
      expect(await interleave([numbers(0), numbers(0)], { stop }).toArray()).toEqual([]);
    }
    expect(await interleave([numbers(2), numbers(0)], { stop: "first-exhausted" }).toArray()).toEqual([0]);
  });

  it("start a dataset over in its next epoch", async () => {
    const few = numbers(5).shuffle({ window: 5, seed: 1 });
    const mixed = interleave([numbers(20, 100), few], { stop: "all-exhausted" });
    const ofFew = (items: readonly number[]) => items.filter((item) => item < 100);
    const passes = [3, 4, 5, 6].map((epoch) => few.epoch(epoch).toArray());
    expect(ofFew(await mixed.epoch(3).toArray())).toEqual((await Promise.all(passes)).flat().slice(0, 19));
    const own = interleave([numbers(5, 100), few.epoch(9)]);
    expect(ofFew(await own.epoch(3).toArray())).toEqual(await few.epoch(9).toArray());
  });

  it("follow weights and schedules, and never wait for what weighs nothing", async () => {
    const ofFirst = (items: readonly number[]) => items.filter((item) => item < 1000).length;
    const two = [numbers(500), numbers(500, 1000)] as const;
    expect(ofFirst(await mix(two, { weights: [3, 1] }).head(400))).toBe(300);
    const weights = [
      { from: 0, weights: [1, 0] },
      { from: 100, weights: [1, 1] },
      { from: 200, weights: [0, 1] },
    ];
    const items = await mix(two, { weights, stop: "all-exhausted" }).toArray();
    expect([ofFirst(items.slice(0, 100)), ofFirst(items.slice(100, 200)), ofFirst(items.slice(200))]).toEqual([
      100, 50, 0,
    ]);
    expect(items.length).toBe(650); // the second is exhausted; the first has no weight any more
    expect(await mix(two, { weights: [1, 0] }).count()).toBe(500);
  });

  it("keep the proportion of those that are left", async () => {
    const mixed = mix([numbers(10), numbers(300, 1000), numbers(100, 2000)], { weights: [1, 3, 1] });
    const items = (await mixed.toArray()).slice(60);
    for (let to = 1; to < 200; to++) {
      expect(Math.abs(items.slice(0, to).filter((item) => item < 2000).length - 0.75 * to)).toBeLessThan(2);
    }
  });

  it("number items from 0, and keep where each comes from", async () => {
    const mixed = interleave([numbers(2, 5).filter((n) => n > 5), numbers(3)]).withOrigin();
    expect((await mixed.toArray()).map(({ origin }) => origin.index)).toEqual([1, 0, 1, 2]);
    // A window counts items of the mix.
    const shuffled = await interleave([numbers(50), numbers(50, 100)])
      .shuffle({ window: 10, seed: 3 })
      .toArray();
    for (let block = 0; block < 100; block += 10) {
      expect(
        shuffled.slice(block, block + 10).map((item) => item % 100 >= block / 2 && item % 100 < block / 2 + 5),
      ).not.toContain(false);
    }
  });

  it("keep the type where all have the same", () => {
    const A = () => defineSample("A", { n: field.int(), image: field.ndarray("uint8") });
    const of = (type: ReturnType<typeof A>) => fromArray(type, []);
    const first = of(A());
    expect(mix([first, of(A())]).type).toBe(first.type);
    expect(concat([first, first]).type).toBe(first.type);
    const other = fromArray(defineSample("A", { n: field.int("bigint"), image: field.ndarray("uint8") }), []);
    expect(interleave([first, other]).type).toBeUndefined();
    expect(mix([first, numbers(1)]).type).toBeUndefined();
    expect(zip([first, first]).type).toBeUndefined();
  });

  it("tell of their inputs", async () => {
    const mixed = mix([numbers(3).map((n) => n), zip([numbers(2), numbers(3)])]).batch(2);
    expect(String(mixed.explain())).toBe(
      [
        "mix",
        "  fromIterable",
        "  map           rows",
        "  zip",
        "    fromIterable",
        "    fromIterable",
        "batch  rows",
      ].join("\n"),
    );
    expect(await mixed.count()).toBe(3);
    const shards = (pattern: readonly string[]) => new DatasetClass(new ShardSource(pattern, undefined, {}));
    expect(await mix([shards(["a.tar", "b.tar"]), shards(["b.tar"])]).listShards()).toEqual(["a.tar", "b.tar"]);
    expect(() => mixed.shards).toThrow(/ask the datasets/);
  });
});

describe("zip()", () => {
  it("puts items together, as far as the shortest goes, with the origin of the first", async () => {
    const zipped = zip([numbers(600).filter((n) => n % 2 === 1), numbers(400, 1000), fromArray(["a", "b"])]);
    const items = await zipped.withOrigin().toArray();
    expect(items.map(({ sample }) => sample)).toEqual([
      [1, 1000, "a"],
      [3, 1001, "b"],
    ]);
    expect(items.map(({ origin }) => origin.index)).toEqual([1, 3]);
    const long = await zip([numbers(600), numbers(700).filter((n) => n >= 50)]).toArray();
    expect(long).toEqual(Array.from({ length: 600 }, (_, i) => [i, i + 50]));
  });
});

describe("combined datasets", () => {
  const combined = { concat, interleave, mix, zip } as Record<
    string,
    (datasets: readonly Dataset<number>[]) => Dataset<unknown>
  >;

  it.each(Object.keys(combined))(
    "%s hands out what comes before an error, says which input failed, and closes all",
    async (name) => {
      const closed: string[] = [];
      const input = (id: string, failAt: number) =>
        fromIterable(async function* () {
          try {
            for (let i = 0; i < 10; i++) {
              if (i === failAt) throw new Error("broken");
              yield i;
            }
          } finally {
            closed.push(id);
          }
        });
      const run = combined[name]!([
        input("a", 99).map((n) => n),
        input("b", 99).map((n) => {
          if (n === 3) throw new Error("bad");
          return n;
        }),
      ]).run();
      const got: unknown[] = [];
      const failure = await (async () => {
        for await (const item of run) got.push(item);
      })().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "STAGE_FAILED", facts: { input: 1, key: "3" } });
      expect(got.length).toBe({ concat: 13, interleave: 7, mix: 7, zip: 3 }[name]);
      expect(closed.toSorted()).toEqual(["a", "b"]);
      closed.length = 0;
      for await (const _ of combined[name]!([input("a", 99), input("b", 99)]))
        if (closed.length === 0 && _ !== 0) break;
      expect(closed.toSorted()).toEqual(name === "concat" ? ["a"] : ["a", "b"]);
    },
  );

  it.each(Object.keys(combined))(
    "%s ends with the reason of an abort, also while an input is waited for",
    async (name) => {
      const closed: string[] = [];
      const abort = new AbortController();
      const reason = new Error("enough");
      const waiting = fromIterable(() => ({
        [Symbol.asyncIterator]: () => ({
          next() {
            setTimeout(() => abort.abort(reason), 1);
            return new Promise<IteratorResult<number>>(() => {});
          },
          return() {
            closed.push("waiting");
            return Promise.resolve({ done: true as const, value: 0 });
          },
        }),
      }));
      const run = combined[name]!([numbers(3), waiting]).run({ signal: abort.signal });
      await expect(Array.fromAsync(run)).rejects.toBe(reason);
      await expect.poll(() => closed).toEqual(["waiting"]);
    },
  );

  it("go on without an input that fails, where that is asked for, and say which", async () => {
    const broken = numbers(20).map((n) => {
      if (n === 3) throw new Error("out of order");
      return 100 + n;
    });
    const mixed = interleave([numbers(6), broken]);
    const run = mixed.run({ onError: { source: "skip" } });
    expect(await Array.fromAsync(run)).toEqual([0, 100, 1, 101, 2, 102, 3, 4, 5]);
    expect(run.summary).toMatchObject({ skippedSources: 1, skippedSamples: 0 });
    expect(run.summary.errors).toMatchObject([{ code: "STAGE_FAILED", facts: { input: 1 } }]);
    await expect(mixed.toArray()).rejects.toMatchObject({ facts: { input: 1 } });
  });

  it("read what can be gone through once only once", async () => {
    const once = fromIterable([1, 2, 3].values());
    const mixed = interleave([once, numbers(9, 10)], { stop: "all-exhausted" });
    await expect(mixed.toArray()).rejects.toMatchObject({ code: "SOURCE_CONSUMED", facts: { input: 0 } });
  });

  it("leave out the positions of other ranks", async () => {
    const share: Share = {
      next(position) {
        const from = position % 10 < 5 ? position : Math.ceil(position / 10) * 10;
        return from >= 40 ? undefined : { from, to: Math.floor(from / 10) * 10 + 5, stored: from };
      },
    };
    async function* chunks() {
      for (let from = 0; from < 100; from += 7) {
        const rows = Array.from({ length: 7 }, (_, i) => from + i);
        yield rowChunk(rows, new SourceTrace(from, () => ({ shard: "", index: 0, key: "", part: 0 })));
      }
    }
    const got = (await Array.fromAsync(ownPositions(chunks(), share))).flatMap((chunk) => rowsOf(chunk));
    expect(got).toEqual(Array.from({ length: 40 }, (_, i) => i).filter((i) => i % 10 < 5));
  });
});

describe("resuming with other inputs or weights", () => {
  /** The items of a run until `cut`, and its checkpoint. */
  async function until<T>(ds: Dataset<T>, cut: number, resume?: Checkpoint) {
    const run = ds.run({ resume });
    const items: T[] = [];
    for (let i = 0; i < cut; i++) {
      const { done, value } = await run.next();
      if (done === true) break;
      items.push(value);
    }
    const checkpoint = JSON.parse(JSON.stringify(run.checkpoint())) as Checkpoint;
    await run.return();
    return { items, checkpoint };
  }

  it("goes on with the old ones where they were, and with a new one from its start", async () => {
    const [a, b, c] = [numbers(6), numbers(6, 10), numbers(4, 20)];
    const { items, checkpoint } = await until(interleave([a, b]), 4);
    expect(items).toEqual([0, 10, 1, 11]);
    expect(await interleave([a, b, c]).toArray({ resume: checkpoint })).toEqual([
      2, 12, 20, 3, 13, 21, 4, 14, 22, 5, 15, 23,
    ]);
    expect(await concat([a, b]).toArray()).toEqual([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]);
    const joined = await until(concat([a, b]), 8);
    expect(await concat([a, b, c]).toArray({ resume: joined.checkpoint })).toEqual([12, 13, 14, 15, 20, 21, 22, 23]);
  });

  it("measures new weights from there", async () => {
    const two = [numbers(100), numbers(100, 1000)];
    const { checkpoint } = await until(mix(two, { weights: [1, 1] }), 50);
    const rest = await mix(two, { weights: [9, 1] }).toArray({ resume: checkpoint });
    expect(rest.slice(0, 50).filter((item) => item < 1000).length).toBe(45);
    expect(rest.length).toBe(150);
  });

  it("goes on when everything had been given, and stays at the end without a new one", async () => {
    const ended = (await until(interleave([numbers(3), numbers(2, 10)]), 99)).checkpoint;
    expect(ended.ended).toBe(true);
    expect(await interleave([numbers(3), numbers(2, 10)]).toArray({ resume: ended })).toEqual([]);
    const more = interleave([numbers(3), numbers(2, 10), numbers(2, 20)]);
    expect(await more.toArray({ resume: ended })).toEqual([20, 21]);
  });

  it("gives each item once, whatever is done behind the mix and wherever it is cut, twice", {
    timeout: 300_000,
  }, async () => {
    const behind: Record<string, (ds: Dataset<number>, n: number) => Dataset<number>> = {
      shuffle: (ds, n) => ds.shuffle({ window: 3 + 9 * n, seed: n }),
      filter: (ds, n) => ds.filter((item) => item % (n + 2) > 0),
      flatMap: (ds, n) => ds.flatMap((item) => Array.from({ length: item % (n + 2) }, (_, i) => item + i / 16)),
      map: (ds, n) => ds.map((item) => item + 1000 * n),
    };
    const names = fc.constantFrom(...Object.keys(behind));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("concat", "interleave", "weights"),
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 2, maxLength: 5 }),
        fc.array(fc.tuple(names, fc.integer({ min: 0, max: 4 })), { maxLength: 3 }),
        fc.tuple(fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 20 })),
        fc.boolean(),
        async (combine, lengths, steps, [cut, again], batched) => {
          const plan = (inputs: number): Dataset<number> => {
            const list = lengths.slice(0, inputs).map((length, i) => numbers(length, 100 * i));
            const options: MixOptions = { weights: list.map((_, i) => 1 + ((i + inputs) % 3)) };
            const mixed =
              combine === "concat" ? concat(list) : combine === "interleave" ? interleave(list) : mix(list, options);
            const stepped = steps.reduce((ds, [name, n]) => behind[name]!(ds, n), mixed);
            return batched ? stepped.batch(5).flatMap((batch) => [...batch]) : stepped;
          };
          const first = await until(plan(lengths.length - 1), cut);
          const second = await until(plan(lengths.length), again, first.checkpoint);
          const rest = await plan(lengths.length)
            .toArray({ resume: second.checkpoint })
            .catch((error: unknown) => {
              // A shuffle behind a flatMap of shuffled outputs counts anew: that is refused, and never wrong.
              expect(error).toMatchObject({ code: "CHECKPOINT_MISMATCH" });
              return undefined;
            });
          if (rest === undefined) return;
          const each = await plan(lengths.length).toArray();
          const sorted = (items: readonly number[]) => items.toSorted((a, b) => a - b);
          expect(sorted([...first.items, ...second.items, ...rest])).toEqual(sorted(each));
        },
      ),
      { seed: 20_250_105, numRuns: soakRuns(200), endOnFailure: false },
    );
  });

  it("refuses inputs that are not what they were, naming the first", async () => {
    const { checkpoint } = await until(mix([numbers(5), numbers(5).filter(() => true)]), 3);
    const resume = (...inputs: Dataset<number>[]) => mix(inputs).toArray({ resume: checkpoint });
    await expect(resume(numbers(5), numbers(5))).rejects.toThrow(/input 1 of mix is not what it was/);
    await expect(resume(numbers(5))).rejects.toThrow(/more inputs of mix than the 1/);
    await expect(
      resume(
        numbers(5).epoch(4),
        numbers(5).filter(() => true),
      ),
    ).rejects.toThrow(/input 0 in epoch 0.* epoch 4/);
    // Inputs of inputs are part of what an input is.
    const nested = await until(interleave([mix([numbers(5)]), numbers(3)]), 2);
    const grown = interleave([mix([numbers(5), numbers(2)]), numbers(3)]).toArray({ resume: nested.checkpoint });
    await expect(grown).rejects.toThrow(/input 0 of interleave/);
    await expect(
      zip([numbers(5), numbers(5), numbers(5)]).toArray({
        resume: (await until(zip([numbers(5), numbers(5)]), 2)).checkpoint,
      }),
    ).rejects.toThrow(/another plan/);
  });

  it("refuses new inputs where it cannot know which places are taken: a shuffle behind a count", async () => {
    const plan = (...inputs: Dataset<number>[]) => interleave(inputs).take(50).shuffle({ window: 9 });
    const { checkpoint } = await until(plan(numbers(20)), 5);
    expect((await plan(numbers(20)).toArray({ resume: checkpoint })).length).toBe(15);
    await expect(plan(numbers(20), numbers(20)).toArray({ resume: checkpoint })).rejects.toThrow(/inputs or weights/);
  });

  it("refuses checkpoints that are damaged", async () => {
    const { checkpoint } = await until(mix([numbers(5), numbers(5)]), 3);
    const { progress } = checkpoint;
    const combined = progress!.combined!;
    const damaged: unknown[] = [
      { ...combined, inputs: undefined },
      { ...combined, inputs: [null, null] },
      { ...combined, inputs: [{ ...combined.inputs[0], taken: -1 }, combined.inputs[1]] },
      { ...combined, inputs: [{ ...combined.inputs[0], progress: { start: 0.5 } }, combined.inputs[1]] },
      { ...combined, turns: [{ ...combined.turns![0]!, inputs: 9 }] },
      { ...combined, turns: [{ ...combined.turns![0], weights: [{ from: 0, weights: [1, "x"] }] }] },
      { ...combined, fixedTo: "end" },
      undefined,
    ];
    for (const wrong of damaged) {
      const resume = { ...checkpoint, progress: { ...progress!, combined: wrong as never } };
      await expect(mix([numbers(5), numbers(5)]).toArray({ resume })).rejects.toMatchObject({
        code: "CHECKPOINT_MISMATCH",
      });
    }
  });

  it("needs under 4 KB for a plan of ten stages with a mix of mixes", async () => {
    const input = (n: number) =>
      numbers(500, n)
        .filter((i) => i % 3 > 0)
        .shuffle({ window: 30 })
        .flatMap((i) => [i, i])
        .take(300);
    const plan = mix([input(1), input(2), interleave([input(3), zip([input(4), input(5)]).map(([a = 0]) => a)])], {
      weights: [
        { from: 0, weights: [1, 1, 1] },
        { from: 100, weights: [1, 2, 3] },
      ],
    })
      .map((n) => n)
      .filter((n) => n % 7 > 0)
      .flatMap((n) => [n, n])
      .shuffle({ window: 40 })
      .take(400)
      .skip(3)
      .map((n) => n)
      .shuffle({ window: 20 })
      .batch(4)
      .take(90);
    const { checkpoint } = await until(plan, 50);
    expect(JSON.stringify(checkpoint).length).toBeLessThan(4096);
  });
});
