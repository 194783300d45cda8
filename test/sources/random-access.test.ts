import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Dataset,
  dataset,
  defineSample,
  field,
  fromArray,
  fromIterable,
  type PipelineError,
  rawSamples,
  shardWriter,
} from "../../src/index.ts";
import { randomNumbers } from "../../src/streams/random.ts";
import { soakRuns } from "../soak.ts";
import { concat, makeMember, makeTar } from "../tar/make-tar.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();
const Point = defineSample("Point", { id: field.int(), text: field.string() });
const COUNT = 700;
const all = Array.from({ length: COUNT }, (_, id) => ({ id, text: "x".repeat((id * 37) % 2000) }));
const ids = (samples: Iterable<{ id: number }>): number[] => Array.from(samples, ({ id }) => id);

/** The same samples with indexes and without. */
const kinds = { indexed: join(folder, "indexed"), plain: join(folder, "plain") };
const open = (kind: keyof typeof kinds) => dataset(kinds[kind], Point);

beforeAll(async () => {
  for (const [kind, path] of Object.entries(kinds)) {
    const options = { samplesPerShard: 90, index: kind === "indexed" };
    await fromArray(Point, all).pipeTo(shardWriter(join(path, "points-%06d.tar"), options));
  }
});

const caught = async (work: () => Promise<unknown>): Promise<PipelineError> => {
  const error = await work().then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error;
};

describe.each(["indexed", "plain"] as const)("shards that are %s", (kind) => {
  it("give the sample at each place", async () => {
    const points = open(kind);
    for (const place of [0, 1, 89, 90, 91, 333, COUNT - 1]) expect(await points.at(place)).toEqual(all[place]);
    for (const place of [-1, -2, -COUNT]) expect(await points.at(place)).toEqual(all.at(place));
    for (const place of [COUNT, -COUNT - 1, 10 ** 9]) expect(await points.at(place)).toBeUndefined();
  });

  it("give the sample of a key", async () => {
    const points = open(kind);
    expect(await points.get("000000000")).toEqual(all[0]);
    expect(await points.get("000000512")).toEqual(all[512]);
    expect(await points.get("512")).toBeUndefined();
    expect(await points.slice(100, 200).get("000000150")).toEqual(all[150]);
    expect(await points.slice(100, 200).get("000000050")).toBeUndefined();
  });

  it("give slices as arrays do", async () => {
    const points = open(kind);
    for (const [from, to] of [
      [0, 5],
      [85, 95],
      [-3, undefined],
      [600, -50],
      [5, 5],
      [9, 3],
      [650, 9999],
    ] as const) {
      expect(ids(await points.slice(from, to).toArray())).toEqual(ids(all.slice(from, to)));
    }
    expect(ids(await points.slice(100, 500).slice(-20, -10).toArray())).toEqual(ids(all.slice(480, 490)));
  });

  it("give a sample by chance that is the same every time", async () => {
    const points = open(kind);
    const picked = ids(await points.sample(50, 3).toArray());
    expect(picked).toHaveLength(50);
    expect(picked).toEqual([...new Set(picked)].sort((a, b) => a - b));
    expect(ids(await open(kind).sample(50, 3).toArray())).toEqual(picked);
    expect(ids(await points.sample(50, 4).toArray())).not.toEqual(picked);
    expect(ids(await points.sample(10_000).toArray())).toEqual(ids(all));
    expect(await points.sample(0).toArray()).toEqual([]);
  });

  it("go through every operator behind", async () => {
    const points = open(kind);
    const batches = await points
      .select("id")
      .sample(100, 1)
      .filter(({ id }) => id % 2 === 0)
      .shuffle({ window: 10 })
      .batch(8)
      .toArray();
    const even = ids(await points.sample(100, 1).toArray()).filter((id) => id % 2 === 0);
    expect(batches.flatMap((batch) => [...batch.column("id")]).sort((a, b) => a - b)).toEqual(even);
    expect(await points.map(({ id }) => id * 2).at(-1)).toBe(2 * (COUNT - 1));
    const [first] = await points.slice(95, 99).withOrigin().toArray();
    expect(first!.origin).toMatchObject({ index: 5, key: "000000095", part: 0 });
    expect(first!.origin.shard).toMatch(/points-000001\.tar$/);
  });

  it("resume in a sample", async () => {
    const plan = open(kind).sample(120, 9).shuffle({ seed: 2 }).batch(7);
    const whole = (await plan.toArray()).map((batch) => ids(batch));
    for (const stop of [1, 5, 17]) {
      const run = plan.run();
      const seen: number[][] = [];
      for (let i = 0; i < stop; i++) seen.push(ids((await run.next()).value!));
      const resume = JSON.parse(JSON.stringify(run.checkpoint()));
      await run.return();
      for await (const batch of plan.run({ resume })) seen.push(ids(batch));
      expect(seen).toEqual(whole);
    }
  });
});

describe("samples at any place", () => {
  it("are those of lists too", async () => {
    const numbers = fromArray([1, 2, 3, 4]);
    expect(await numbers.at(-1)).toBe(4);
    expect(await numbers.slice(1, 3).toArray()).toEqual([2, 3]);
    expect(await numbers.sample(2, 5).toArray()).toHaveLength(2);
    expect((await numbers.shuffle({ seed: 1 }).toArray()).sort()).toEqual([1, 2, 3, 4]);
  });

  it("cannot be told behind operators that move or drop samples, nor in streams", () => {
    const points = open("plain");
    expect(() => points.filter(() => true).slice(1)).toThrow(
      new TypeError("Cannot use slice behind filter: only select and map may stand before it"),
    );
    expect(() => points.shuffle({ window: 5 }).sample(1)).toThrow(TypeError);
    expect(() =>
      fromIterable([1])
        .map((n) => n)
        .slice(0),
    ).not.toThrow();
    expect(() => fromIterable(new Set([1])).slice(0)).toThrow(
      new TypeError("Cannot use slice on fromIterable: it cannot be read at any place, as shards and lists can"),
    );
    expect(() => points.slice(0.5)).toThrow(RangeError);
    expect(() => points.sample(-1)).toThrow(RangeError);
    expect(() => points.sample(1, -1)).toThrow(RangeError);
  });

  it("reject with errors of their own", async () => {
    await expect(open("plain").at(1.5)).rejects.toThrow(RangeError);
    await expect(open("plain").get(5 as never)).rejects.toThrow(TypeError);
    await expect(fromArray([1]).get("0")).rejects.toThrow(TypeError);
    await expect(
      open("plain")
        .filter(() => true)
        .get("a"),
    ).rejects.toThrow(TypeError);
    expect(() => open("plain").slice(1).shards[Symbol.asyncIterator]()).toThrow(TypeError);
  });

  it("are not to be had of compressed shards, which can still be counted", async () => {
    const path = join(folder, "small.tar.gz");
    await fromArray(Point, all.slice(0, 9)).pipeTo(shardWriter(path, { index: true }));
    const refused = { code: "UNSUPPORTED", hint: expect.stringContaining("decompress it") };
    expect(await caught(() => dataset(path, Point).at(0))).toMatchObject(refused);
    rmSync(`${path}.index`);
    expect(await caught(() => dataset(path, Point).at(0))).toMatchObject(refused);
    expect(await dataset(path, Point).at(9)).toBeUndefined();
  });
});

describe("an index beside a shard", () => {
  it("is the same whether it is written or scanned, and takes 16 bytes a sample", async () => {
    const { makeIndex } = await import("../../src/sources/shard-indexes.ts");
    for (const name of readdirSync(kinds.indexed).filter((file) => file.endsWith(".tar"))) {
      const path = join(kinds.indexed, name);
      const written = readFileSync(`${path}.index`);
      expect(written.length % 16).toBe(0);
      for (const members of ["msgpack", "files"] as const) {
        expect(Buffer.compare(written, await makeIndex(path, { members }))).toBe(0);
      }
    }
  });

  it("is no shard", async () => {
    for (const pattern of [kinds.indexed, join(kinds.indexed, "points-*.tar*"), join(kinds.indexed, "*")]) {
      expect(await dataset(pattern, Point).listShards()).toHaveLength(8);
    }
  });

  it("appears and goes with its shard", async () => {
    const path = join(folder, "goes", "a.tar");
    await fromArray(Point, all.slice(0, 3)).pipeTo(shardWriter(path, { index: true }));
    expect(readdirSync(join(folder, "goes"))).toEqual(["a.tar", "a.tar.index"]);
    const failing = fromArray(Point, all).map((point, { origin }) => {
      if (origin.index === 300) throw new Error("no");
      return point;
    });
    const options = { type: Point, index: true, overwrite: true, samplesPerShard: 100 };
    await expect(failing.pipeTo(shardWriter(join(folder, "goes", "b-%d.tar"), options))).rejects.toThrow("no");
    expect(readdirSync(join(folder, "goes"))).toEqual(["a.tar", "a.tar.index"]);
    await fromArray(Point, all.slice(0, 4)).pipeTo(shardWriter(path, { overwrite: true }));
    expect(readdirSync(join(folder, "goes"))).toEqual(["a.tar"]);
  });

  it("that is of another shard is noticed", async () => {
    const path = join(folder, "stale.tar");
    const write = async (samples: typeof all, key: (point: { id: number }) => string): Promise<void> => {
      await fromArray(Point, samples).pipeTo(shardWriter(path, { key, overwrite: true, index: true }));
    };
    await write(all.slice(0, 9), ({ id }) => `a${id}`);
    copyFileSync(`${path}.index`, join(folder, "old.index"));
    for (const [samples, key] of [
      [all.slice(0, 8), ({ id }: { id: number }) => `a${id}`],
      [all.slice(0, 9), ({ id }: { id: number }) => `b${id}`],
      [all.slice(0, 9).reverse(), ({ id }: { id: number }) => `a${id}`],
    ] as const) {
      await write([...samples], key);
      copyFileSync(join(folder, "old.index"), `${path}.index`);
      const error = await caught(() => dataset(path, Point).at(2));
      expect(error).toMatchObject({ code: "INDEX_STALE", hint: expect.stringContaining("shardstream index") });
      expect(await dataset(path, Point).slice(0).toArray({ onError: "skip" })).toEqual([]);
    }
  });

  it("that was scanned is made again when the shard is another", async () => {
    const path = join(folder, "grows.tar");
    await fromArray(Point, all.slice(0, 5)).pipeTo(shardWriter(path));
    const points = dataset(path, Point);
    expect(await points.at(-1)).toEqual(all[4]);
    await fromArray(Point, all.slice(0, 50)).pipeTo(shardWriter(path, { overwrite: true }));
    expect(await points.at(-1)).toEqual(all[49]);
  });

  it("that is damaged is told", async () => {
    const path = join(folder, "damaged.tar");
    await fromArray(Point, all.slice(0, 9)).pipeTo(shardWriter(path, { index: true }));
    const index = readFileSync(`${path}.index`);
    for (const [bytes, message] of [
      [index.subarray(0, 40), /it has 40 bytes, and 9 samples take 176/],
      [Buffer.from("what is this, and why is it here"), /it is no offset index/],
      [Buffer.concat([index.subarray(0, 8), Buffer.of(9), index.subarray(9)]), /of version 9/],
      [Buffer.alloc(0), /it is no offset index/],
    ] as const) {
      writeFileSync(`${path}.index`, bytes);
      const error = await caught(() => dataset(path, Point).at(0));
      expect(error).toMatchObject({ code: "INDEX_CORRUPT", message: expect.stringMatching(message) });
    }
  });
});

describe("any shard", () => {
  /** Members of a few keys and extensions, also those that make no sample. */
  function oddShard(random: () => number): Uint8Array {
    const any = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
    const members: Uint8Array[] = [];
    let key = "k0";
    for (let i = Math.floor(random() * 12); i > 0; i--) {
      if (random() < 0.6) key = any(["k0", "k1", "long/".repeat(30), "dir/é", "k2"]);
      const name = any([".msgpack", ".json", ".MSGPACK", ".txt", "", ".a.b"]);
      const data = new Uint8Array(any([0, 1, 511, 512, 513, 3000]));
      data.set([0x80].slice(0, data.length));
      members.push(makeMember(key + name, data));
      if (random() < 0.1) members.push(makeMember("__meta__", new Uint8Array(600)));
    }
    return concat([...members, makeTar({})]);
  }

  it("gives by its index what it gives in order, faults and all", { timeout: 600_000 }, async () => {
    const random = randomNumbers(11);
    let errors = 0;
    const path = join(folder, "odd");
    for (let run = 0; run < soakRuns(60); run++) {
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      for (let shard = 0; shard < 3; shard++) writeFileSync(join(path, `${shard}.tar`), oddShard(random));
      const kinds: readonly Dataset<unknown>[] = [dataset(path), rawSamples(path), dataset(path, { members: "files" })];
      for (const kind of kinds) {
        const seen = async (plan: Dataset<unknown>) => {
          const run = plan.withOrigin().run({ onError: "skip" });
          const samples = await Array.fromAsync(run, ({ sample, origin }) => ({
            origin,
            sample: sample !== null && typeof sample === "object" && "bytes" in sample ? sample.bytes : sample,
          }));
          return { samples, errors: run.summary.errors.map(({ message }) => message) };
        };
        const inOrder = await seen(kind);
        errors += inOrder.errors.length;
        expect(await seen(kind.slice(0))).toEqual(inOrder);
      }
    }
    expect(errors).toBeGreaterThan(100);
  });
});
