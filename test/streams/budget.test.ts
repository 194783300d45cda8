import { describe, expect, it } from "vitest";
import {
  type Dataset,
  dataset,
  defineSample,
  field,
  fromArray,
  fromIterable,
  NdArray,
  PipelineError,
  shardWriter,
} from "../../src/index.ts";
import { parseByteSize } from "../../src/streams/byte-size.ts";
import { temporaryFolder } from "../temporary.ts";
import { Blobs, writeBlobs } from "./peak-samples.ts";

const folder = temporaryFolder();
await writeBlobs(`${folder}/small`, 900, 2000, 100);
await writeBlobs(`${folder}/large`, 24, 700_000, 3, false);
const small = dataset(`${folder}/small`, Blobs);
const large = dataset(`${folder}/large`, Blobs);

async function failureOf(run: Promise<unknown>): Promise<PipelineError> {
  const error = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(PipelineError);
  return error as PipelineError;
}

/** What fails under `memory` does so at a stage, and works with the least budget that the error names. */
async function failsAt(stage: string, plan: Dataset<unknown>, memory: string): Promise<PipelineError> {
  const error = await failureOf(plan.toArray({ memory }));
  expect(error.message).toContain(`Cannot ${stage}: `);
  expect(error.code).toBe("BUDGET_TOO_SMALL");
  const { bytes, least } = error.facts as { bytes: number; least: number };
  expect(error.facts.stage).toBe(stage);
  expect(error.hint).toContain(`{ memory: "${least / 1e6}MB" }`);
  expect(least).toBeGreaterThan(parseByteSize("memory", memory));
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(least);
  const all = await plan.toArray({ memory: least });
  expect(all.length).toBe((await plan.toArray()).length);
  return error;
}

describe("memory", () => {
  it.each([
    [1, 1],
    [4096, 4096],
    ["12B", 12],
    ["256MB", 256e6],
    ["64 kB", 64e3],
    ["1.5GB", 1.5e9],
    ["512KiB", 2 ** 19],
    ["1 GiB", 2 ** 30],
  ] as const)("%j is %d bytes", (size, bytes) => {
    expect(parseByteSize("memory", size)).toBe(bytes);
  });

  it.each(["", "256", "MB", "-1MB", "1mb", "256 megabytes", "1e3MB", " 1MB", "0MB", 0, -1, 1.5, Number.NaN, Infinity])(
    "cannot be %j",
    (memory) => {
      expect(() => small.run({ memory })).toThrow(TypeError);
    },
  );
});

describe("a run with a budget of memory", () => {
  it("gives what a run without one gives, in the same order", async () => {
    const plans: Record<string, Dataset<{ n: number }>> = {
      "in order": small.select("n"),
      shuffled: small.shuffle({ window: 128, seed: 3 }),
      "large samples": large.shuffle({ window: 4, seed: 3 }),
      "mapped at once and later": small
        .map((sample) => ({ n: sample.n + 1, texts: Array(50).fill("x".repeat(200)) }))
        .map(async ({ n }) => ({ n }), { concurrency: 9 })
        .prefetch(3),
      "several of one": small.flatMap(({ n }) => [{ n }, { n: -n }]).shuffle({ window: 50, seed: 1 }),
      "from an iterable": fromIterable(function* () {
        for (let n = 0; n < 900; n++) yield { n, text: "text".repeat(n) };
      }).shuffle({ window: 100 }),
    };
    for (const [name, plan] of Object.entries(plans)) {
      const free = (await plan.toArray()).map(({ n }) => n);
      for (const memory of ["20MB", "64MB", "1GB"]) {
        expect(
          (await plan.toArray({ memory })).map(({ n }) => n),
          `${name} with ${memory}`,
        ).toEqual(free);
      }
    }
  });

  it("gives the same batches", async () => {
    const numbers = async (plan: Dataset<{ n: number }>, recycle: boolean, memory?: string): Promise<number[][]> => {
      const lists: number[][] = [];
      for await (const batch of plan.batch(7, { recycle }).run({ memory })) {
        lists.push(Array.from(batch as Iterable<{ n: number }>, ({ n }) => n));
      }
      return lists;
    };
    for (const plan of [small, small.where((blob) => blob.n.ge(100)), small.filter(({ n }) => n % 3 > 0)]) {
      const free = await numbers(plan, false);
      expect(await numbers(plan, false, "8MB")).toEqual(free);
      expect(await numbers(plan, true, "8MB")).toEqual(free);
    }
  });

  it("fails at a window that does not fit, before it gives anything", async () => {
    const { facts } = await failsAt("shuffle", large.shuffle({ window: 24, seed: 1 }), "16MB");
    expect(facts.bytes).toBeGreaterThan(24 * 500_000);
    expect(
      (await large
        .shuffle({ window: 24, seed: 1 })
        .run({ memory: "16MB", onError: "skip" })
        .next()
        .catch(String)) as unknown,
    ).toContain("Cannot shuffle");
  });

  it("fails at a block of a shuffle that does not fit, and at a sample that is read by itself", async () => {
    await failsAt("shuffle", small.shuffle({ seed: 1, blockBytes: 1_000_000 }), "1MB");
    await failsAt("read", large.sample(3), "500KB");
    const plan = small.shuffle({ seed: 1 });
    expect(await plan.toArray({ memory: "2MB" })).toEqual(await plan.toArray());
  });

  it("fails at a batch that does not fit, of columns and of objects", async () => {
    await failsAt("batch", large.batch(12), "12MB");
    await failsAt("batch", large.batch(6, { recycle: true }), "12MB");
    await failsAt("batch", large.where((blob) => blob.n.ge(0)).batch(12), "12MB");
    await failsAt("batch", large.filter(() => true).batch(12), "12MB");
  });

  it("fails at a sample that does not fit, and names it", async () => {
    const Text = defineSample("Text", { text: field.string() });
    const texts = [1000, 3_000_000, 1000].map((length) => ({ text: "x".repeat(length) }));
    await fromArray(Text, texts).pipeTo(shardWriter(`${folder}/texts/t-%d.tar`));
    const { facts } = await failsAt("read", dataset(`${folder}/texts`, Text), "4MB");
    expect(facts.key).toBe("000000001");
    expect(facts.url).toContain("t-0.tar");
    await failsAt(
      "read",
      fromIterable(() => texts.values()),
      "4MB",
    );
  });

  it("is never skipped as a fault of a sample or a shard", async () => {
    for (const plan of [large.shuffle({ window: 24 }), large.batch(12), large]) {
      const error = await failureOf(plan.toArray({ memory: "1MB", onError: "skip" }));
      expect(error.code).toBe("BUDGET_TOO_SMALL");
    }
  });

  it("counts what functions make of samples", async () => {
    const grown = fromIterable(() => Array.from({ length: 600 }, (_, n) => n)).map((n) => ({
      n,
      data: new NdArray("uint8", [100_000], new Uint8Array(100_000)),
    }));
    let made = 0;
    const run = grown.tap(() => made++).run({ memory: "16MB" });
    await run.next();
    expect(made).toBeLessThan(50); // not a chunk of 256 at once
    await run.return();
    await failsAt("shuffle", grown.shuffle({ window: 200 }), "16MB");
    await failsAt("batch", grown.batch(200), "16MB");
  });

  it("has fewer calls of an async function under way, and is less far ahead", async () => {
    let most = 0;
    const ahead = async (memory: string | undefined): Promise<number> => {
      let under = 0;
      let given = 0;
      most = 0;
      const plan = large
        .map(
          async (sample) => {
            most = Math.max(most, ++under - given);
            await new Promise((resolve) => setTimeout(resolve, 1));
            return sample;
          },
          { concurrency: 8 },
        )
        .prefetch(8);
      for await (const _ of plan.run({ memory })) {
        given++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return most;
    };
    expect(await ahead(undefined)).toBeGreaterThan(8);
    expect(await ahead("16MB")).toBeLessThan(6);
  });
});
