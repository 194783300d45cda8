import { readFileSync, writeFileSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Threads, threads } from "../../src/execution/threads.ts";
import {
  Batch,
  type Checkpoint,
  type Dataset,
  dataset,
  fromArray,
  Ledger,
  mergeCheckpoints,
  type PipelineError,
  quarantine,
  type Run,
  type RunProgress,
  shardWriter,
  verifyLedger,
} from "../../src/index.ts";
import { randomNumbers } from "../../src/streams/random.ts";
import { soakRuns } from "../soak.ts";
import { temporaryFolder } from "../temporary.ts";
import {
  anything,
  Counted,
  counted,
  double,
  failing,
  isOdd,
  later,
  lying,
  notHidden,
  repeat,
  reword,
  unset,
} from "./tasks.ts";

const folder = temporaryFolder();
const SAMPLES = 1500;
const data = `${folder}/data`;
const pools = new Map<number, Threads>();
const on = (size: number): Threads => pools.get(size)!;

beforeAll(async () => {
  await fromArray(
    Counted,
    Array.from({ length: SAMPLES }, (_, n) => ({ n, text: `sample ${n}` })),
  ).pipeTo(shardWriter(`${data}/c-%02d.tar`, { samplesPerShard: 170 }));
  for (const size of [1, 2, 4]) pools.set(size, threads({ size }));
});
afterAll(async () => {
  for (const pool of pools.values()) await pool[Symbol.asyncDispose]();
});

const samples = (): Dataset<Counted> => dataset(data, Counted);

/** What came out, as text that keeps types apart. */
function textOf(items: readonly unknown[]): string {
  return JSON.stringify(items, (_, value) => {
    if (value instanceof Batch) return [...value];
    if (value instanceof Map) return { map: [...value] };
    if (typeof value === "bigint") return `${value}n`;
    if (value === undefined) return "undefined";
    return ArrayBuffer.isView(value) ? { [value.constructor.name]: Array.from(value as Uint8Array) } : value;
  });
}

/** A plan of random steps: some that go to the threads, and some behind them that do not. */
function randomPlan(random: () => number): Dataset<unknown> {
  const below = (n: number): number => Math.floor(random() * n);
  let plan: Dataset<Counted> = samples();
  for (let steps = 1 + below(3); steps > 0; steps--) {
    const step = below(6);
    if (step === 0) plan = plan.map(double());
    if (step === 1) plan = plan.filter(isOdd({ of: 3 }));
    if (step === 2) plan = plan.flatMap(repeat());
    if (step === 3) plan = plan.where((sample) => sample.n.lt(1000));
    if (step === 4) plan = plan.map(later(), { concurrency: 1 + below(20) });
    if (step === 5) plan = plan.map(reword());
  }
  if (below(2) === 0) plan = plan.filter(({ n }) => n % 7 !== 1);
  if (below(2) === 0) plan = plan.shuffle({ window: 1 + below(400), seed: below(5) });
  if (below(3) === 0)
    plan = plan.flatMap(({ n, text }) => [
      { n, text },
      { n: -n, text },
    ]);
  if (below(3) === 0) plan = plan.take(300 + below(500));
  const drawn = below(2) === 0 ? plan.map(({ n, text }, { random: next }) => ({ n, text, drawn: next() })) : plan;
  return below(2) === 0 ? drawn.batch(1 + below(50)) : drawn;
}

describe("threads()", () => {
  it("give what a run without them gives, in the same order, for random plans", { timeout: 300_000 }, async () => {
    const random = randomNumbers(5);
    for (let i = 0; i < soakRuns(12); i++) {
      const plan = randomPlan(random);
      const inline = textOf(await plan.toArray());
      for (const size of [1, 2, 4])
        expect(textOf(await plan.toArray({ executor: on(size) })), `plan ${i}`).toBe(inline);
    }
  });

  it("go on from any checkpoint with another number of threads", { timeout: 300_000 }, async () => {
    const random = randomNumbers(6);
    for (let i = 0; i < soakRuns(6); i++) {
      const plan = randomPlan(random);
      const whole = await plan.toArray();
      const got: unknown[] = [];
      let resume: Checkpoint | undefined;
      for (let stop = 0; ; stop++) {
        const executor = stop % 4 === 0 ? undefined : on([1, 2, 4][stop % 3]!);
        const run: Run<unknown> = plan.run({ resume, executor });
        let ended = false;
        for (let left = stop > 6 ? Infinity : Math.floor(random() * 200); left > 0 && !ended; left--) {
          const { done, value } = await run.next();
          if (done === true) ended = true;
          else got.push(value);
        }
        if (ended) break;
        if (got.length > 0) resume = run.checkpoint();
        await run.return();
      }
      expect(textOf(got), `plan ${i}`).toBe(textOf(whole));
    }
  });

  it("are ranks inside of each rank", async () => {
    const plan = samples().flatMap(repeat()).shuffle({ window: 200, seed: 2 });
    for (const even of ["exact", "pad", "drop"] as const) {
      const wanted = even === "exact" ? plan : samples().map(double());
      for (const rank of [0, 1, 2]) {
        const options = { rank, worldSize: 3, even };
        const inline = textOf(await wanted.toArray(options));
        for (const size of [1, 2, 4]) {
          expect(textOf(await wanted.toArray({ ...options, executor: on(size) })), `${even} ${rank} ${size}`).toBe(
            inline,
          );
        }
      }
    }
    const saved: Checkpoint[] = [];
    const got: Counted[] = [];
    for (const rank of [0, 1]) {
      const run = plan.run({ rank, worldSize: 2, executor: on(2) });
      for (let i = 0; i < 100; i++) got.push((await run.next()).value!);
      saved.push(run.checkpoint());
      await run.return();
    }
    got.push(...(await plan.toArray({ resume: mergeCheckpoints(saved), executor: on(4) })));
    const texts = (list: readonly Counted[]): string[] => list.map(({ text }) => text).sort();
    expect(texts(got)).toEqual(texts(await plan.toArray()));
  });

  it("keep what a run knows of its samples: origins, keys, the ledger", async () => {
    const plan = samples().flatMap(repeat());
    const [inline, there] = [plan.run(), plan.run({ executor: on(2) })];
    for await (const sample of inline) {
      expect((await there.next()).value).toEqual(sample);
      expect(there.origin).toEqual(inline.origin);
      expect(there.checkpoint()).toEqual(inline.checkpoint());
    }
    await there.return();
    const ledger = new Ledger();
    await samples()
      .map(double())
      .toArray({ ledger, executor: on(4) });
    expect(await verifyLedger(ledger, samples())).toMatchObject({ complete: true, repeated: [] });
    for (const [executor, name] of [
      [undefined, "here"],
      [on(2), "there"],
    ] as const) {
      await plan.pipeTo(shardWriter(`${folder}/${name}.tar`), { executor });
    }
    expect(readFileSync(`${folder}/there.tar`).equals(readFileSync(`${folder}/here.tar`))).toBe(true);
  });

  it("carry untyped results with their classes, untyped samples, and samples of several files", async () => {
    const plans: Dataset<unknown>[] = [
      samples().map(anything()),
      dataset(data).where((sample) => sample.n!.gt(1200)),
      dataset(data, { members: "files" }).select("msgpack"),
    ];
    for (const plan of plans) {
      expect(textOf(await plan.toArray({ executor: on(2) }))).toBe(textOf(await plan.toArray()));
    }
  });

  it("hand errors on with code, facts, hint and cause, behind all that comes before", async () => {
    const plan = samples().map(failing({ at: [700, 900] }));
    const ends = [];
    for (const executor of [undefined, on(1), on(2), on(4)]) {
      const run = plan.run({ executor });
      const got: number[] = [];
      const error = await (async () => {
        for await (const { n } of run) got.push(n);
      })().then(
        () => undefined,
        (error: PipelineError) => error,
      );
      expect(got.length).toBe(700);
      expect(error).toMatchObject({ code: "STAGE_FAILED", cause: { message: "no 700", cause: { message: "inner" } } });
      expect(error!.cause).toBeInstanceOf(RangeError);
      expect((error!.cause as Error).cause).toBeInstanceOf(TypeError);
      ends.push([error!.message, error!.facts]);
    }
    expect(new Set(ends.map((end) => JSON.stringify(end))).size).toBe(1);
    await expect(
      samples()
        .map(unset())
        .toArray({ executor: on(2) }),
    ).rejects.toMatchObject({ code: "STAGE_FAILED" });
    await expect(
      samples()
        .map(lying())
        .toArray({ executor: on(2) }),
    ).rejects.toMatchObject({
      code: "SCHEMA_MISMATCH",
      facts: { key: "000000005" },
    });
  });

  it("say which task is not exported, and where", async () => {
    const error = await samples()
      .map(notHidden())
      .toArray({ executor: on(2) })
      .then(
        () => undefined,
        (error) => error,
      );
    expect(error).toMatchObject({ code: "TASK_NOT_EXPORTED", facts: { task: "hidden" } });
    expect(error.message).toContain("hidden");
    expect(error.message).toContain("tasks.ts");
  });

  it("tell the run what was skipped, once and in order", async () => {
    const cut = `${folder}/cut`;
    await samples().pipeTo(shardWriter(`${cut}/c-%02d.tar`, { samplesPerShard: 300 }));
    await truncate(`${cut}/c-01.tar`, 200_000);
    writeFileSync(`${cut}/c-03.tar`, Buffer.concat([readFileSync(`${cut}/c-03.tar`), Buffer.from("more")]));
    const plan = dataset(cut, Counted).map(failing({ at: [3, 64, 65, 500, 1100, 1101] }));
    const summaries = [];
    for (const executor of [undefined, on(1), on(2), on(4)]) {
      const run = plan.run({ executor, onError: "skip" });
      const got = (await Array.fromAsync(run)).map(({ n }) => n);
      const { errors, ...rest } = run.summary;
      summaries.push(JSON.stringify([got, rest, errors.map(({ code, message, facts }) => [code, message, facts])]));
    }
    expect(new Set(summaries).size).toBe(1);
    expect(summaries[0]).toContain("SHARD_TRUNCATED");
    const read: number[] = [];
    for (const executor of [undefined, on(1), on(2), on(4)]) {
      const run = dataset(cut, Counted).map(double()).run({ executor });
      await expect(Array.fromAsync(run)).rejects.toMatchObject({ code: "SHARD_TRUNCATED" });
      read.push(run.summary.items);
    }
    expect(new Set(read).size).toBe(1);
  });

  it("fill a quarantine as the calling thread does, with the bytes of samples that fail here or there", async () => {
    const cut = `${folder}/quarantined`;
    await samples().pipeTo(shardWriter(`${cut}/q-%02d.tar`, { samplesPerShard: 300 }));
    await truncate(`${cut}/q-01.tar`, 200_000);
    const plan = dataset(cut, Counted)
      .map(failing({ at: [3, 64, 65, 700, 1100] }))
      .map((sample) => {
        if (sample.n % 100 === 7) throw new Error("seven");
        return sample;
      });
    const files: string[] = [];
    for (const [i, executor] of [undefined, on(1), on(2), on(4)].entries()) {
      const path = `${folder}/bad-${i}.jsonl`;
      const run = plan.run({ executor, onError: quarantine(path) });
      const got = (await Array.fromAsync(run)).length;
      const { quarantinedSamples, quarantinedShards } = run.summary;
      // Lanes tell their faults ahead of those of the stages behind them.
      const lines = readFileSync(path, "utf8").trimEnd().split("\n").sort();
      files.push(JSON.stringify([got, quarantinedSamples, quarantinedShards, lines]));
    }
    expect(files[0]).toContain("bytes");
    expect(new Set(files).size).toBe(1);
  });

  it("tell progress and times as the calling thread does", async () => {
    for (const executor of [undefined, on(2)]) {
      const told: RunProgress[] = [];
      const onProgress = (progress: RunProgress): void => void told.push(progress);
      const run = samples().map(double()).run({ executor, onProgress, progressEveryMs: 0, timings: true });
      await Array.fromAsync(run);
      expect(told.at(-1)).toMatchObject({ items: SAMPLES, samples: SAMPLES, timeLeftMs: 0 });
      expect(told.at(-1)!.bytes).toBe(told.at(-1)!.totalBytes);
      expect(run.summary.stages!.map(({ name }) => name)).toContain(executor?.name ?? "shards");
    }
  });

  it("read in the order of a shuffle of all samples", async () => {
    for (const options of [{ seed: 5 }, { seed: 5, blockBytes: 20_000 }]) {
      const plan = samples().shuffle(options).map(reword()).filter(isOdd()).epoch(2);
      const inline = textOf(await plan.toArray());
      for (const size of [1, 2, 4]) {
        expect(textOf(await plan.toArray({ executor: on(size) })) === inline, `${size} threads`).toBe(true);
      }
    }
  });

  it("are refused together with a budget of memory, which they would not keep", () => {
    expect(() => samples().run({ executor: on(2), memory: "64MB" })).toThrow(/on 2 threads with a budget/);
  });

  it("set a task up once a run on each thread, and free it, also when the run is left early", async () => {
    const log = `${folder}/log`;
    await samples()
      .map(counted({ log }))
      .toArray({ executor: on(2) });
    for await (const _ of samples()
      .map(counted({ log }))
      .run({ executor: on(2) }))
      break;
    const lines = readFileSync(log, "utf8").trim().split("\n");
    for (const what of ["open", "close"]) {
      const ids = lines.filter((line) => line.startsWith(what));
      expect(ids).toHaveLength(4);
      expect(new Set(ids).size).toBe(2);
    }
  });

  it("serve several runs at once, also when one of them is not read", async () => {
    const idle = samples()
      .map(double())
      .run({ executor: on(2) });
    await idle.next();
    const both = await Promise.all([
      samples()
        .map(double())
        .toArray({ executor: on(2) }),
      samples()
        .flatMap(repeat())
        .toArray({ executor: on(2) }),
    ]);
    expect(both[0]).toHaveLength(SAMPLES);
    await idle.return();
  });

  it("are explained: what goes to them, what stays, and why", () => {
    const executor = on(2);
    const explain = (plan: Dataset<never>) =>
      plan.explain({ executor }).steps.map(({ name, pinned }) => [name, pinned]);
    expect(explain(samples().map(double()).shuffle({ window: 10 }).batch(2) as never)).toEqual([
      ["decode", undefined],
      ["map", undefined],
      ["shuffle", "it orders the samples of all threads"],
      ["batch", "it stands behind shuffle"],
    ]);
    expect(
      explain(
        samples()
          .filter(({ n }) => n > 1)
          .map(double()) as never,
      ).slice(1),
    ).toEqual([
      ["filter", "it is a closure, and no task"],
      ["map", "it stands behind filter"],
    ]);
    expect(explain(fromArray(Counted, []).map(double()) as never)).toEqual([
      ["map", "fromArray cannot be opened on another thread"],
    ]);
    expect(String(samples().map(double()).explain({ executor }))).toContain("on 2 threads");
    expect(String(samples().map(double()).explain())).not.toContain("thread");
  });

  it("leave to the calling thread what cannot go to them", async () => {
    expect(
      await fromArray([1, 2])
        .map((n) => n * 2)
        .toArray({ executor: on(2) }),
    ).toEqual([2, 4]);
    expect(
      await samples()
        .map(({ n }) => n)
        .head(2),
    ).toEqual([0, 1]);
    expect(() => threads({ size: 0 })).toThrow(RangeError);
  });
});
