import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Threads, threads } from "../../src/execution/threads.ts";
import { dataset, fromArray, NdArray, rawSamples, replay, shardWriter } from "../../src/index.ts";
import { convert, type JobProgress, type ShardStats } from "../../src/jobs/index.ts";
import { temporaryFolder } from "../temporary.ts";
import { exits, hangs, Noisy, noisy, parsed, Reading, strict, twice, untyped } from "./tasks.ts";

const folder = temporaryFolder();
const SAMPLES = 600;
const input = `${folder}/in`;
const pools: Threads[] = [1, 2, 4].map((size) => threads({ size }));

beforeAll(async () => {
  const readings = Array.from({ length: SAMPLES }, (_, n) => ({
    n,
    text: `reading ${n}`,
    pixels: new NdArray("uint8", [2], Uint8Array.of(n % 256, 1)),
    ...(n % 3 === 0 ? {} : { level: n / 8 }),
  }));
  await fromArray(Reading, readings).pipeTo(shardWriter(`${input}/r-%02d.tar`, { samplesPerShard: 100 }));
});
afterAll(async () => {
  for (const pool of pools) await pool[Symbol.asyncDispose]();
});

/** All files of a folder but the report, which holds times. */
function filesOf(path: string): Record<string, string> {
  const names = readdirSync(path).filter((name) => name !== "job.json");
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(`${path}/${name}`).toString("base64")]));
}

const statsOf = (shard: string): ShardStats => JSON.parse(readFileSync(`${shard}.stats.json`, "utf8")) as ShardStats;
const shardFiles = (path: string): string[] => readdirSync(path).filter((name) => name.endsWith(".tar"));

describe("convert()", () => {
  it("makes a shard of each shard, the same bytes on any number of threads", async () => {
    const inline = `${folder}/inline`;
    const report = await convert(input, inline, { type: Reading, map: noisy({}) });
    expect(report).toMatchObject({ complete: true, samples: SAMPLES, kept: 0, errors: [], executor: null });
    expect(shardFiles(inline)).toEqual(readdirSync(input));
    for (const [i, executor] of pools.entries()) {
      const there = `${folder}/threads-${i}`;
      await convert(input, there, { type: Reading, map: noisy({}), executor });
      expect(filesOf(there)).toEqual(filesOf(inline));
    }
    const samples = await dataset(inline, Noisy).toArray();
    expect(samples.map(({ n }) => n)).toEqual(Array.from({ length: SAMPLES }, (_, n) => n));
    // Random numbers of two shards are not the same ones.
    expect(new Set(samples.map(({ noise }) => noise)).size).toBe(SAMPLES);
    expect((await dataset(inline, Noisy).at(-1))?.n).toBe(SAMPLES - 1);
  });

  it("leaves counts, digest and the range of each field beside a shard, and a report beside all", async () => {
    const out = `${folder}/stats`;
    const report = await convert(input, out, { type: Reading });
    const stats = statsOf(`${out}/r-01.tar`);
    expect(stats.fields).toEqual({
      n: { nulls: 0, min: 100, max: 199 },
      text: { nulls: 0, min: "reading 100", max: "reading 199" },
      level: { nulls: 33, min: 100 / 8, max: 199 / 8 },
      pixels: { nulls: 0 },
    });
    const bytes = readFileSync(`${out}/r-01.tar`);
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
    expect(stats).toMatchObject({ version: 1, samples: 100, bytes: bytes.length, sha256: digest });
    expect(JSON.parse(readFileSync(`${out}/job.json`, "utf8"))).toEqual(report);
    expect(report.shards[1]).toMatchObject({ output: `${out}/r-01.tar`, sha256: digest, ms: expect.any(Number) });
    // Without a task a shard of this library's own is the same shard again.
    expect(bytes.equals(readFileSync(`${input}/r-01.tar`))).toBe(true);
  });

  it("keeps what is done, and makes anew what another input, task or file is there for", async () => {
    const [from, out] = [`${folder}/changing`, `${folder}/kept`];
    await cp(input, from, { recursive: true, preserveTimestamps: true });
    const job = (options = {}) => convert(from, out, { type: Reading, map: noisy({}), ...options });
    await job();
    const first = filesOf(out);
    expect(await job()).toMatchObject({ complete: true, kept: 6, samples: SAMPLES });
    utimesSync(`${from}/r-02.tar`, new Date(), new Date());
    truncateSync(`${out}/r-04.tar`, 1000);
    await expect(job()).rejects.toMatchObject({ code: "SHARD_UNWRITABLE" });
    expect(await job({ resume: true })).toMatchObject({ kept: 4 });
    expect(filesOf(out)["r-04.tar"]).toBe(first["r-04.tar"]);
    expect(await job({ overwrite: true })).toMatchObject({ kept: 0 });
    expect(await convert(from, out, { type: Reading, map: noisy({ ms: 0 }), resume: true })).toMatchObject({ kept: 0 });
    const bytes = readFileSync(`${out}/r-05.tar`);
    bytes[600] = bytes[600]! ^ 1;
    writeFileSync(`${out}/r-05.tar`, bytes);
    const again = (options = {}) =>
      convert(from, out, { type: Reading, map: noisy({ ms: 0 }), resume: true, ...options });
    expect(await again()).toMatchObject({ kept: 6 });
    expect(await again({ verify: true })).toMatchObject({ kept: 5 });
  });

  it("puts what fails in quarantine beside its shard, the same inline and on threads", async () => {
    const outs = [undefined, pools[1]].map((executor, i) => [`${folder}/bad-${i}`, executor] as const);
    for (const [out, executor] of outs) {
      const report = await convert(input, out, { type: Reading, map: strict(), onError: "quarantine", executor });
      expect(report).toMatchObject({ complete: true, samples: SAMPLES - 12, quarantinedSamples: 12 });
    }
    expect(filesOf(outs[0]![0])).toEqual(filesOf(outs[1]![0]));
    const mended = dataset(`${input}/r-00.tar`, Reading).map(({ n }) => n);
    expect(await replay(`${outs[0]![0]}/r-00.tar.quarantine.jsonl`, mended).toArray()).toEqual([7, 57]);
    const skipped = await convert(input, `${folder}/skipped`, { type: Reading, map: strict(), onError: "skip" });
    expect(skipped).toMatchObject({ skippedSamples: 12, quarantinedSamples: 0 });
  });

  it("ends with the first error, tells of it in the report, and leaves nothing half done", async () => {
    for (const [i, executor] of [undefined, pools[1]].entries()) {
      const out = `${folder}/failed-${i}`;
      const job = convert(input, out, { type: Reading, map: strict(), executor });
      await expect(job).rejects.toMatchObject({ code: "STAGE_FAILED", facts: { index: 7 } });
      const report = JSON.parse(readFileSync(`${out}/job.json`, "utf8"));
      expect(report).toMatchObject({ complete: false, errors: [{ code: "STAGE_FAILED" }] });
      expect(readdirSync(out).filter((name) => name.includes("partial"))).toEqual([]);
    }
  });

  it("makes any number of samples of one, of lines of JSON, of untyped and of stored samples", async () => {
    const flat = await convert(input, `${folder}/flat`, { type: Reading, flatMap: twice() });
    expect(flat.samples).toBe(2 * SAMPLES);
    const lines = Array.from({ length: 9 }, (_, n) => `{"n":${n}}\n`).join("");
    writeFileSync(`${folder}/a.jsonl.gz`, gzipSync(lines));
    writeFileSync(`${folder}/b.ndjson`, lines);
    const out = `${folder}/lines`;
    await convert([`${folder}/a.jsonl.gz`, `${folder}/b.ndjson`], `${out}/from-*.tar.zst`, { map: parsed() });
    expect(readdirSync(out).filter((name) => name.endsWith(".zst"))).toEqual(["from-a.tar.zst", "from-b.tar.zst"]);
    expect(await dataset(`${out}/from-{a,b}.tar.zst`, Noisy).count()).toBe(18);
    expect((await convert(input, `${folder}/untyped`, { map: untyped() })).samples).toBe(SAMPLES);
    await convert(input, `${folder}/raw`, { members: "files" });
    expect(await rawSamples(`${folder}/raw`).count()).toBe(SAMPLES);
  });

  it("tells progress, and how long the rest will take", async () => {
    const told: JobProgress[] = [];
    await convert(input, `${folder}/told`, {
      type: Reading,
      map: noisy({ ms: 1 }),
      executor: pools[1],
      onProgress: (progress) => told.push(progress),
    });
    expect(told.at(-1)).toMatchObject({ shards: 6, shardsDone: 6, samples: SAMPLES, timeLeftMs: 0 });
    expect(told.some(({ timeLeftMs = 0 }) => timeLeftMs > 0)).toBe(true);
  });

  it("ends when it is told to, and goes on from there", async () => {
    for (const [i, executor] of [undefined, pools[1]].entries()) {
      const out = `${folder}/aborted-${i}`;
      const abort = new AbortController();
      const reason = new Error("enough");
      const onProgress = ({ shardsDone }: JobProgress): void => {
        if (shardsDone === 2) abort.abort(reason);
      };
      const options = { type: Reading, map: noisy({ ms: 1 }), executor };
      await expect(convert(input, out, { ...options, onProgress, signal: abort.signal })).rejects.toBe(reason);
      expect(readdirSync(out).filter((name) => name.includes("partial"))).toEqual([]);
      const report = await convert(input, out, options);
      expect(report.complete).toBe(true);
      expect(report.kept).toBeGreaterThanOrEqual(2);
    }
  });

  it("says when a thread is gone, or does not answer", async () => {
    await using short = threads({ size: 1, timeoutMs: 500 });
    for (const task of [exits(), hangs()]) {
      const job = convert(input, `${folder}/gone`, { type: Reading, map: task, executor: short, resume: true });
      await expect(job).rejects.toMatchObject({ code: "THREAD_FAILED" });
    }
  });

  it("refuses closures, outputs that two inputs would have, and outputs that are inputs", async () => {
    const closure = { map: ((sample: Reading) => sample) as never };
    await expect(convert(input, `${folder}/no`, closure)).rejects.toThrow(/must be a task/);
    await cp(`${input}/r-00.tar`, `${folder}/r-00.tar`);
    const two = [`${input}/r-00.tar`, `${folder}/r-00.tar`];
    await expect(convert(two, `${folder}/no`)).rejects.toThrow(/r-00.tar" too/);
    await expect(convert(input, input)).rejects.toThrow(/is an input/);
    await expect(convert([`${folder}/none.tar`], `${folder}/no`)).rejects.toMatchObject({ code: "SHARD_UNREADABLE" });
    expect(existsSync(`${folder}/no`)).toBe(false);
  });
});
