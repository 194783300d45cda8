import { existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { dataset, fromArray, NdArray, shardWriter } from "../../src/index.ts";
import { Noisy, Reading } from "../jobs/tasks.ts";
import { temporaryFolder } from "../temporary.ts";
import { shardstream } from "./run-process.ts";

const folder = temporaryFolder();
const input = `${folder}/in`;
const tasks = resolve("test/jobs/tasks.ts");

beforeAll(async () => {
  const pixels = new NdArray("uint8", [1], Uint8Array.of(1));
  const readings = Array.from({ length: 100 }, (_, n) => ({ n, text: `reading ${n}`, pixels }));
  await fromArray(Reading, readings).pipeTo(shardWriter(`${input}/r-%02d.tar`, { samplesPerShard: 25 }));
});

describe("shardstream convert", () => {
  it("converts shards with a task, on threads, and again only what is missing", async () => {
    const out = `${folder}/out`;
    const args = ["convert", input, out, "--map", `${tasks}#untyped`, "--threads", "2"];
    const first = await shardstream(args);
    expect(first.stderr).toBe("");
    expect(first.stdout).toMatch(/^100 samples in 4 shards, \d+ bytes, [\d.]+ s\n$/);
    expect(await dataset(out, Noisy).count()).toBe(100);
    rmSync(`${out}/r-01.tar.stats.json`);
    const again = await shardstream(args);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("add --resume");
    const resumed = await shardstream([...args, "--resume", "--json"]);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ complete: true, samples: 100, kept: 3 });
  });

  it("copies without a task, compressed where the output says so", async () => {
    const { code, stdout } = await shardstream(["convert", input, `${folder}/packed/*.tar.gz`]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("100 samples in 4 shards") });
    expect(existsSync(`${folder}/packed/r-03.tar.gz.index`)).toBe(true);
  });

  it("says what is wrong with a task", async () => {
    const missing = await shardstream(["convert", input, `${folder}/no`, "--map", `${tasks}#nothing`]);
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("has no such export") });
    const unnamed = await shardstream(["convert", input, `${folder}/no`, "--map", tasks]);
    expect(unnamed).toMatchObject({ code: 1, stderr: expect.stringContaining("name a file and its export") });
    const options = await shardstream(["convert", input, `${folder}/no`, "--options", "{"]);
    expect(options).toMatchObject({ code: 2, stderr: expect.stringContaining("must be JSON") });
  });
});
