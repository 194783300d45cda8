import { beforeAll, describe, expect, it } from "vitest";
import { threads } from "../../src/execution/threads.ts";
import { type Dataset, dataset, fromArray, type PipelineError, shardWriter } from "../../src/index.ts";
import { ended, startProcess } from "../cli/run-process.ts";
import { needs } from "../needs.ts";
import { temporaryFolder } from "../temporary.ts";
import { Counted, double, dying, heavy } from "./tasks.ts";

const folder = temporaryFolder();
const samples = (): Dataset<Counted> => dataset(`${folder}/c-*.tar`, Counted);

beforeAll(async () => {
  await fromArray(
    Counted,
    Array.from({ length: 1000 }, (_, n) => ({ n, text: "" })),
  ).pipeTo(shardWriter(`${folder}/c-%02d.tar`, { samplesPerShard: 300 }));
});

const failureOf = (promise: Promise<unknown>): Promise<PipelineError> =>
  promise.then(
    () => Promise.reject(new Error("it did not fail")),
    (error) => error,
  );

describe("a thread that fails", () => {
  it("by a function that never ends is told after a while, and replaced", async () => {
    await using workers = threads({ size: 2, timeoutMs: 1500 });
    await samples().map(double()).toArray({ executor: workers });
    const run = samples()
      .map(dying({ how: "hang", at: 500 }))
      .run({ executor: workers });
    const error = await failureOf(Array.fromAsync(run));
    expect(error).toMatchObject({ code: "THREAD_FAILED", message: expect.stringContaining("1500 ms") });
    expect(error.hint).toContain("timeoutMs");
    expect(await samples().map(double()).toArray({ executor: workers })).toHaveLength(1000);
  });

  it("by leaving its program is told, and replaced", async () => {
    await using workers = threads({ size: 2 });
    const plan = samples().map(dying({ how: "exit", at: 500 }));
    const error = await failureOf(plan.toArray({ executor: workers }));
    expect(error).toMatchObject({ code: "THREAD_FAILED", message: expect.stringContaining("ended") });
    expect(await samples().map(double()).toArray({ executor: workers })).toHaveLength(1000);
  });

  needs
    .runtime("node", "Deno and Bun have no limit of memory for a thread: the process ends")
    .it("by taking too much memory is told", async () => {
      await using workers = threads({ size: 1, maxMemoryMb: 60 });
      const error = await failureOf(
        samples()
          .map(dying({ how: "memory", at: 500 }))
          .toArray({ executor: workers }),
      );
      expect(error).toMatchObject({ code: "THREAD_FAILED", message: expect.stringContaining("memory") });
      expect(error.hint).toContain("maxMemoryMb");
    });

  it("by being disposed of fails the runs on it", async () => {
    const workers = threads({ size: 2 });
    const run = samples()
      .map(heavy({ microseconds: 500 }))
      .run({ executor: workers });
    await run.next();
    await workers[Symbol.asyncDispose]();
    await workers[Symbol.asyncDispose]();
    expect(await failureOf(Array.fromAsync(run))).toMatchObject({ code: "THREAD_FAILED" });
    expect(await failureOf(samples().map(double()).toArray({ executor: workers }))).toMatchObject({
      code: "THREAD_FAILED",
    });
  });
});

describe("a run on threads", () => {
  it("ends at once when it is aborted, with the reason, also while functions are busy", async () => {
    await using workers = threads({ size: 2 });
    await samples().map(double()).head(1);
    const abort = new AbortController();
    const run = samples()
      .map(heavy({ microseconds: 20_000 }))
      .run({ executor: workers, signal: abort.signal });
    const reason = new Error("enough");
    setTimeout(() => abort.abort(reason), 100);
    const start = performance.now();
    expect(await failureOf(Array.fromAsync(run))).toBe(reason);
    expect(performance.now() - start).toBeLessThan(1500);
    // The threads are free again after one more sample: 64 of them would take a second.
    const before = performance.now();
    expect(await samples().map(double()).toArray({ executor: workers })).toHaveLength(1000);
    expect(performance.now() - before).toBeLessThan(1200);
  });

  it("is left by a program that ends, without being disposed of", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await ended(startProcess("test/execution/leak.ts", [`${folder}/c-*.tar`]));
    expect(stderr).toBe("");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "threads gone, handles gone\n" });
  });
});
