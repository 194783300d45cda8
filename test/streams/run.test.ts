import { describe, expect, it } from "vitest";
import { type Dataset, fromArray, fromIterable, PipelineError } from "../../src/index.ts";

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe("run()", () => {
  it("answers calls that do not wait for one another in order", async () => {
    const run = fromArray(numbers(600)).run();
    const results = await Promise.all(numbers(605).map(() => run.next()));
    expect(results.flatMap(({ done, value }) => (done === true ? [] : [value]))).toEqual(numbers(600));
  });

  it("rejects with the signal's reason, and delivers nothing after it", async () => {
    const stop = new AbortController();
    const run = fromIterable(function* () {
      for (let n = 0; ; n++) yield n;
    }).run({ signal: stop.signal });
    expect((await run.next()).value).toBe(0);
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(run.next()).rejects.toBe(reason);
    await expect(run.next()).rejects.toBe(reason);
  });

  it("ends a wait for a source that never answers", async () => {
    const stop = new AbortController();
    const run = fromIterable(() => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
    })).run({
      signal: stop.signal,
    });
    const next = run.next();
    setTimeout(() => stop.abort(new Error("late")), 10);
    await expect(next).rejects.toThrow("late");
  });

  it("ends a wait for a function that never answers", async () => {
    const stop = new AbortController();
    const run = fromArray([1, 2])
      .map(() => new Promise<never>(() => {}))
      .batch(2)
      .run({ signal: stop.signal });
    const next = run.next();
    setTimeout(() => stop.abort(new Error("late")), 10);
    await expect(next).rejects.toThrow("late");
    await expect(run.next()).rejects.toThrow("late");
  });

  it("closes the source when a loop is left early", async () => {
    let closed = false;
    const source = fromIterable(async function* () {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        closed = true;
      }
    });
    for await (const n of source.filter((n) => n % 2 === 0).prefetch(2)) if (n === 4) break;
    expect(closed).toBe(true);
  });

  it("lets timers run while it reads", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const run = fromIterable(async function* () {
      for (let n = 0; n < 50; n++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield n;
      }
    }).run();
    for await (const _ of run);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });
});

describe("onError", () => {
  const flaky = fromArray(numbers(10)).map((n) => {
    if (n % 4 === 2) throw new Error(`cannot take ${n}`);
    return n;
  });

  it("raises by default, after what came before", async () => {
    const seen: number[] = [];
    const run = flaky.run();
    const failed = (async () => {
      for await (const n of run) seen.push(n);
    })();
    await expect(failed).rejects.toBeInstanceOf(PipelineError);
    await expect(failed).rejects.toMatchObject({
      code: "STAGE_FAILED",
      facts: { stage: "map", index: 2 },
      message: expect.stringContaining("cannot take 2"),
    });
    expect(seen).toEqual([0, 1]);
  });

  it("skips, counts and keeps the errors", async () => {
    const run = flaky.run({ onError: "skip" });
    const seen: number[] = [];
    for await (const n of run) seen.push(n);
    expect(seen).toEqual([0, 1, 3, 4, 5, 7, 8, 9]);
    expect(run.summary).toMatchObject({ items: 8, skippedSamples: 2 });
    expect(run.summary.errors.map((error) => error.facts.index)).toEqual([2, 6]);
  });

  it("calls no function twice for a sample", async () => {
    const calls: number[] = [];
    const ds = fromArray(numbers(300)).map((n) => {
      calls.push(n);
      if (n % 7 === 0) throw new Error("no");
      return n;
    });
    await ds.toArray({ onError: { sample: "skip" } });
    expect(calls).toEqual(numbers(300));
  });

  it("gives up when a hundred samples fail in a row", async () => {
    const broken = fromArray(numbers(1000)).map(() => {
      throw new Error("always");
    });
    await expect(broken.toArray({ onError: "skip" })).rejects.toMatchObject({ hint: expect.stringContaining("100") });
  });

  it("works for functions that return promises, too", async () => {
    const ds = fromArray(numbers(20)).map(async (n) => {
      await new Promise((resolve) => setTimeout(resolve, (n * 7) % 5));
      if (n === 11) throw new Error("eleven");
      return n;
    });
    expect(await ds.toArray({ onError: "skip" })).toEqual(numbers(20).filter((n) => n !== 11));
    await expect(ds.toArray()).rejects.toThrow("eleven");
  });

  it("refuses any policy that it does not know", () => {
    for (const onError of ["rais", "ignore", { sample: "maybe" }] as never[]) {
      expect(() => flaky.run({ onError })).toThrow(TypeError);
    }
  });

  it("raises where a policy is left undefined", async () => {
    await expect(flaky.toArray({ onError: { sample: undefined as never, shard: "skip" } })).rejects.toThrow(
      "cannot take 2",
    );
  });

  it("counts failures in a row only when they are, also behind batches and rare filters", async () => {
    const ds = fromArray(numbers(3000)).map((n) => {
      if (n % 5 === 0) throw new Error("fifth");
      return n;
    });
    expect(await ds.filter((n) => n > 2998).toArray({ onError: "skip" })).toEqual([2999]);
    expect((await ds.batch(2000).toArray({ onError: "skip" })).map(({ length }) => length)).toEqual([2000, 400]);
  });

  it.each([
    ["batch", (ds: Dataset<number>) => ds.batch(100).flatMap((b) => [...b])],
    ["shuffle", (ds: Dataset<number>) => ds.shuffle({ window: 1000 })],
    ["async map", (ds: Dataset<number>) => ds.map(async (n) => n)],
    ["prefetch", (ds: Dataset<number>) => ds.prefetch(2)],
  ])("hands out what came before an error, also what %s held back", async (_, hold) => {
    const failing = fromArray(numbers(20)).map((n) => {
      if (n === 13) throw new Error("thirteen");
      return n;
    });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const n of hold(failing)) seen.push(n);
    })();
    await expect(reading).rejects.toThrow("thirteen");
    expect(seen.toSorted((a, b) => a - b)).toEqual(numbers(13));
  });

  it("holds for where and select on objects of any kind", async () => {
    const mixed = fromArray([{ a: 1 }, null, { a: 2 }] as { a: number }[]);
    expect(await mixed.where((p) => p.a.ge(0)).toArray({ onError: "skip" })).toEqual([{ a: 1 }, { a: 2 }]);
    expect(await mixed.select("a").toArray({ onError: "skip" })).toEqual([{ a: 1 }, { a: 2 }]);
    await expect(mixed.select("a").toArray()).rejects.toMatchObject({ code: "STAGE_FAILED", facts: { index: 1 } });
  });
});

describe("functions that wait", () => {
  const never = () => new Promise<never>(() => {});

  it("do not keep a run, a loop or a stream from being closed", async () => {
    const ds = fromArray(numbers(10)).map((n) => (n < 3 ? Promise.resolve(n) : never()), { concurrency: 1 });
    for await (const n of ds.prefetch(2)) if (n === 1) break;
    const run = ds.run();
    for (let i = 0; i < 3; i++) await run.next();
    const waiting = run.next();
    await run.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    const reader = fromArray([1]).map(never).stream().getReader();
    const read = reader.read();
    await reader.cancel();
    expect(await read).toEqual({ done: true, value: undefined });
  });

  it("are told about their own sample, also after they waited", async () => {
    const origins = await fromArray(numbers(5))
      .map(async (_, info) => {
        await null;
        return info.origin.index;
      })
      .toArray();
    expect(origins).toEqual(numbers(5));
  });
});

describe("run.pipeTo() and run.count()", () => {
  it("go on behind what next() has handed out", async () => {
    const run = fromArray(numbers(700)).run();
    await run.next();
    await run.next();
    expect(await run.count()).toBe(700);
    expect(run.checkpoint().ended).toBe(true);
    await expect(run.count()).rejects.toThrow(/has ended/);
  });
});
