import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  and,
  type Checkpoint,
  DictSample,
  dataset,
  decodeParts,
  defineSample,
  field,
  fromArray,
  fromJsonLines,
  jsonLinesWriter,
  NdArray,
  not,
  or,
  PipelineError,
  rawSamples,
  shardWriter,
} from "../src/index.ts";
import { batch, map, sampleDecode, shuffle, tarDecode, where } from "../src/operators/index.ts";
import { temporaryFolder } from "./temporary.ts";

const folder = temporaryFolder();
const Photo = defineSample("Photo", {
  id: field.int(),
  label: field.string(),
  score: field.optional(field.float()),
  pixels: field.ndarray("uint8", [2, 3]),
});
const LABELS = ["cat", "dog", "bird"];
const COUNT = 1000;
const photo = (id: number) => ({
  id,
  label: LABELS[id % 3]!,
  score: id % 5 === 0 ? null : id / 8,
  pixels: new NdArray(
    "uint8",
    [2, 3],
    Uint8Array.from({ length: 6 }, (_, i) => id + i),
  ),
});
const all = Array.from({ length: COUNT }, (_, id) => photo(id));
const pattern = join(folder, "photos-{000000..000006}.tar");
const photos = dataset(pattern, Photo);
/** A batch of whatever samples have both fields. */
interface LabelledBatch {
  column(name: "id"): Float64Array;
  column(name: "label"): readonly string[];
}
const ids = (samples: Iterable<{ id: number }>): number[] => Array.from(samples, ({ id }) => id);

beforeAll(async () => {
  const written = await fromArray(Photo, all).pipeTo(
    shardWriter(join(folder, "photos-%06d.tar"), { samplesPerShard: 150 }),
  );
  expect(written).toMatchObject({ samples: COUNT, shards: { length: 7 } });
});

describe("dataset()", () => {
  it("reads back what was written, in order, as often as asked", async () => {
    expect(await photos.toArray()).toEqual(all);
    expect(await photos.toArray()).toEqual(all);
    expect(await photos.count()).toBe(COUNT);
    expect(ids(await photos.head(3))).toEqual([0, 1, 2]);
  });

  it.each([
    ["a folder", folder],
    ["stars", join(folder, "photos-*.tar")],
    ["question marks", join(folder, "photos-00000?.tar")],
  ])("takes %s for the shards in it", async (_, from) => {
    expect(ids(await dataset(from, Photo).toArray())).toEqual(ids(all));
  });

  it("lists its shards, and gives each as a dataset of its own", async () => {
    expect(await photos.listShards()).toHaveLength(7);
    const counts: number[] = [];
    for await (const shard of photos.shards) counts.push(await shard.count());
    expect(counts).toEqual([150, 150, 150, 150, 150, 150, 100]);
  });

  it("gives untyped samples without a type", async () => {
    const [first] = await dataset(pattern).head(1);
    expect(first).toBeInstanceOf(DictSample);
    expect(first!.get("label")).toBe("cat");
    const dogs = dataset(pattern)
      .where((s) => s.label!.eq("dog"))
      .select("id");
    expect(await dogs.head(2)).toEqual([{ id: 1 }, { id: 4 }]);
    const batches = await dataset(pattern).batch(400).toArray();
    expect(batches.map(({ length }) => length)).toEqual([400, 400, 200]);
  });

  it("gives samples as they are stored", async () => {
    const [raw] = await rawSamples(pattern).head(1);
    expect(raw).toMatchObject({ key: "000000000", origin: { index: 0 } });
    expect([...raw!.parts.keys()]).toEqual(["msgpack"]);
  });

  it("reads over http what it reads from disk", async () => {
    const server = createServer((request, response) =>
      response.end(readFileSync(join(folder, decodeURIComponent(request.url!.slice(1))))),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const remote = dataset(`${origin}/photos-{000000..000006}.tar`, Photo);
      expect(await remote.toArray()).toEqual(all);
      const body = (await fetch(`${origin}/photos-000001.tar`)).body!;
      const streamed = body
        .pipeThrough(tarDecode())
        .pipeThrough(sampleDecode(Photo))
        .pipeThrough(shuffle({ window: 40, seed: 3 }))
        .pipeThrough(batch(32));
      const planned = dataset(join(folder, "photos-000001.tar"), Photo).shuffle({ window: 40, seed: 3 }).batch(32);
      const idsOf = (batches: readonly { column(name: "id"): Float64Array }[]) =>
        batches.map((b) => [...b.column("id")]);
      expect(idsOf(await Array.fromAsync(streamed))).toEqual(idsOf(await planned.toArray()));
    } finally {
      server.close();
    }
  });

  it("tells where samples come from", async () => {
    const origins = await photos
      .filter(({ id }) => id === 151)
      .withOrigin()
      .toArray();
    expect(origins).toMatchObject([
      {
        sample: { id: 151 },
        origin: { shard: expect.stringContaining("photos-000001.tar"), index: 1, key: "000000151", part: 0 },
      },
    ]);
    const seen: string[] = [];
    await photos
      .take(2)
      .tap((_, info) => void seen.push(info.origin.key))
      .toArray();
    expect(seen).toEqual(["000000000", "000000001"]);
    const [shuffled] = await photos.shuffle({ window: 100, seed: 1 }).batch(10).head(1);
    for (let i = 0; i < 10; i++) expect(shuffled!.origin(i).key).toBe(String(shuffled!.at(i)!.id).padStart(9, "0"));
  });

  it("delivers all whole samples of a cut shard before it names the last good one", async () => {
    const cut = join(folder, "cut.bin");
    copyFileSync(join(folder, "photos-000000.tar"), cut);
    truncateSync(cut, 100 * 1024 + 520);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { id } of dataset([cut], Photo)) seen.push(id);
    })();
    await expect(reading).rejects.toMatchObject({ code: "SHARD_TRUNCATED", facts: { key: "000000099" } });
    expect(seen).toEqual(ids(all.slice(0, 100)));
    const run = dataset([cut, join(folder, "photos-000006.tar")], Photo).run({ onError: { shard: "skip" } });
    expect(ids(await Array.fromAsync(run))).toEqual([...ids(all.slice(0, 100)), ...ids(all.slice(900))]);
    expect(run.summary).toMatchObject({ items: 200, skippedShards: 1, errors: [{ code: "SHARD_TRUNCATED" }] });
  });

  it("says which file is not there", async () => {
    await expect(dataset(join(folder, "none.tar")).toArray()).rejects.toMatchObject({
      code: "SHARD_UNREADABLE",
      message: expect.stringContaining("none.tar"),
    });
  });
});

describe("batch()", () => {
  it("stacks columns, and gives samples and origins back", async () => {
    const batches = await photos.batch(300).toArray();
    expect(batches.map(({ length }) => length)).toEqual([300, 300, 300, 100]);
    const [first] = batches;
    expect(first!.column("id")).toEqual(Float64Array.from({ length: 300 }, (_, i) => i));
    expect(first!.column("label").slice(0, 3)).toEqual(LABELS);
    expect(first!.column("score")[5]).toBeNull();
    expect(first!.column("pixels").shape).toEqual([300, 2, 3]);
    expect(batches.flatMap((b) => [...b])).toEqual(all);
    expect(first!.at(-1)).toEqual(all[299]);
  });

  it("gives the same by all ways: direct, behind where, behind map, recycled, through streams", async () => {
    const labels = async (batches: AsyncIterable<unknown>) => {
      const seen: string[][] = [];
      for await (const b of batches as AsyncIterable<LabelledBatch>)
        seen.push([...b.column("label"), ...Array.from(b.column("id"), String)]);
      return seen;
    };
    const direct = await labels(photos.batch(64));
    expect(await labels(photos.batch(64, { recycle: true }))).toEqual(direct);
    expect(await labels(photos.where((p) => p.id.ge(0)).batch(64))).toEqual(direct);
    expect(await labels(photos.where((p) => p.id.ge(0)).batch(64, { recycle: true }))).toEqual(direct);
    expect(await labels(photos.map((p) => p).batch(64))).toEqual(direct);
    expect(await labels(photos.select("id", "label").batch(64))).toEqual(direct);
    expect(await labels(photos.prefetch(3).batch(64))).toEqual(direct);
    expect(await labels(photos.stream().pipeThrough(batch(64)))).toEqual(direct);
  });

  it("never changes a batch that was kept, unless it was recycled", async () => {
    const kept = await photos.batch(50).toArray();
    expect(kept.flatMap((b) => [...b.column("pixels").data])).toEqual(all.flatMap(({ pixels }) => [...pixels.data]));
    const run = photos.batch(50, { recycle: true }).run();
    const first = (await run.next()).value!;
    const memory = first.column("id");
    const second = (await run.next()).value!;
    expect(second.column("id")[0]).toBe(50);
    expect(memory[0]).toBe(50); // used again for the second
    expect(() => first.column("id")).toThrow(/recycled/);
    expect(() => first.at(0)).toThrow(/recycled/);
    await run.return();
  });

  it("says which arrays do not stack, and gives them as a list when asked", async () => {
    const Any = defineSample("Any", { a: field.ndarray() });
    const ragged = fromArray(Any, [{ a: NdArray.from([1, 2], "float32") }, { a: NdArray.from([1], "float32") }]);
    await ragged.pipeTo(shardWriter(join(folder, "ragged.bin")));
    for (const ds of [ragged, dataset([join(folder, "ragged.bin")], Any)]) {
      const [strict] = await ds.batch(2).toArray();
      expect(() => strict!.column("a")).toThrow(
        expect.objectContaining({ code: "RAGGED", message: expect.stringMatching(/float32 \[2\].*float32 \[1\]/) }),
      );
      const [loose] = await ds.batch(2, { ragged: "list" }).toArray();
      expect((loose!.column("a") as unknown as NdArray[]).map(({ shape }) => shape)).toEqual([[2], [1]]);
    }
  });

  it("drops a short last batch when asked", async () => {
    expect((await photos.batch(300, { dropLast: true }).toArray()).map(({ length }) => length)).toEqual([
      300, 300, 300,
    ]);
    expect(
      (
        await photos
          .map((p) => p)
          .batch(300, { dropLast: true })
          .toArray()
      ).map(({ length }) => length),
    ).toEqual([300, 300, 300]);
  });

  it("names the fields there are when asked for another", async () => {
    const [first] = await photos.batch(2).head(1);
    expect(() => first!.column("colour" as never)).toThrow(/id, label, score, pixels/);
  });
});

describe("where() and select()", () => {
  it("keep samples by their fields, on columns as on objects", async () => {
    const conditions = [
      [photos.where((p) => p.label.eq("cat")), (p: (typeof all)[0]) => p.label === "cat"],
      [photos.where((p) => p.score.isNull()), (p: (typeof all)[0]) => p.score === null],
      [photos.where((p) => and(p.id.gt(10), p.id.le(20))), (p: (typeof all)[0]) => p.id > 10 && p.id <= 20],
      [
        photos.where((p) => or(p.label.in(["dog", "bird"]), p.id.lt(5))),
        (p: (typeof all)[0]) => p.label !== "cat" || p.id < 5,
      ],
      [photos.where((p) => not(p.score.gt(20))), (p: (typeof all)[0]) => !(p.score !== null && p.score > 20)],
      [photos.where((p) => p.score.ne(1)), (p: (typeof all)[0]) => p.score !== 1],
    ] as const;
    for (const [ds, keep] of conditions) {
      const wanted = ids(all.filter(keep));
      expect(ids(await ds.toArray())).toEqual(wanted);
      expect((await ds.batch(33).toArray()).flatMap((b) => [...b.column("id")])).toEqual(wanted);
      expect((await ds.select("id").batch(33).toArray()).flatMap((b) => [...b.column("id")])).toEqual(wanted);
    }
  });

  it("give only the selected fields, in their order", async () => {
    const [first] = await photos
      .where((p) => p.label.eq("dog"))
      .select("label", "id")
      .head(1);
    expect(first).toEqual({ label: "dog", id: 1 });
    expect(photos.select("label", "id").type!.fields.map(({ name }) => name)).toEqual(["id", "label"]);
  });

  it("name the fields there are when told another, where it is written", () => {
    expect(() =>
      photos.where((p) => (p as unknown as Record<string, { eq(v: string): never }>).colour!.eq("red")),
    ).toThrow(/id, label, score, pixels/);
    expect(() => photos.select("colour" as never)).toThrow(/id, label, score, pixels/);
  });
});

describe("shuffle()", () => {
  const shuffled = photos.shuffle({ window: 100, seed: 5 });

  it("keeps every sample once, in an order that is the same every time", async () => {
    const order = ids(await shuffled.toArray());
    expect(order).not.toEqual(ids(all));
    expect(order.toSorted((a, b) => a - b)).toEqual(ids(all));
    expect(ids(await shuffled.toArray())).toEqual(order);
    expect((await shuffled.batch(32, { recycle: true }).toArray()).length).toBe(Math.ceil(COUNT / 32));
  });

  it("gives each epoch and each seed an order of its own", async () => {
    const orders = await Promise.all(
      [shuffled, shuffled.epoch(1), photos.shuffle({ window: 100, seed: 6 })].map(async (ds) =>
        ids(await ds.toArray()).join(),
      ),
    );
    expect(new Set(orders).size).toBe(3);
  });

  it("moves no other sample when a filter stands before or behind it", async () => {
    const keep = ({ id }: { id: number }) => id % 4 > 0;
    const order = ids((await shuffled.toArray()).filter(keep));
    expect(ids(await shuffled.filter(keep).toArray())).toEqual(order);
    expect(ids(await photos.filter(keep).shuffle({ window: 100, seed: 5 }).toArray())).toEqual(order);
    expect(
      ids(
        await photos
          .where((p) => p.id.ge(0))
          .shuffle({ window: 100, seed: 5 })
          .filter(keep)
          .toArray(),
      ),
    ).toEqual(order);
  });

  it("gives the same order encoded, decoded and batched", async () => {
    const order = ids(await shuffled.toArray());
    expect((await shuffled.batch(7).toArray()).flatMap((b) => [...b.column("id")])).toEqual(order);
    expect(
      ids(
        await photos
          .map((p) => p)
          .shuffle({ window: 100, seed: 5 })
          .toArray(),
      ),
    ).toEqual(order);
    expect((await dataset(pattern).shuffle({ window: 100, seed: 5 }).toArray()).map((s) => s.get("id"))).toEqual(order);
  });

  it("keeps arrays apart from memory that is used again", async () => {
    const pixels = photos.select("id", "pixels").shuffle({ window: 300, seed: 1 }).batch(16, { recycle: true });
    for await (const b of pixels) {
      for (const { id, pixels } of b) expect([...pixels.data]).toEqual([...photo(id).pixels.data]);
    }
  });

  it("goes on from any checkpoint, also in the middle of a block and of a shard", async () => {
    const plan = () =>
      dataset(pattern, Photo)
        .where((p) => p.label.ne("bird"))
        .shuffle({ window: 90, seed: 2 })
        .batch(16);
    const whole = (await plan().toArray()).map((b) => ids(b));
    for (let cut = 1; cut < whole.length; cut += 3) {
      const run = plan().run();
      for (let i = 0; i < cut; i++) await run.next();
      const resume = JSON.parse(JSON.stringify(run.checkpoint())) as Checkpoint;
      await run.return();
      expect(
        (await plan().toArray({ resume })).map((b) => ids(b)),
        `cut at ${cut}`,
      ).toEqual(whole.slice(cut));
    }
  });
});

describe("shardWriter()", () => {
  it("writes equal samples as equal bytes", async () => {
    await photos.pipeTo(shardWriter(join(folder, "again-%06d.bin"), { samplesPerShard: 150 }));
    for (const name of readdirSync(folder).filter((file) => file.startsWith("again"))) {
      const twin = name.replace("again", "photos").replace(".bin", ".tar");
      expect(readFileSync(join(folder, name))).toEqual(readFileSync(join(folder, twin)));
    }
  });

  it("begins a new shard before one gets too large on disk", async () => {
    const written = await photos.pipeTo(shardWriter(join(folder, "small-%03d.bin"), { bytesPerShard: 50_000 }));
    expect(written.samples).toBe(COUNT);
    for (const { path, bytes } of written.shards)
      expect([readFileSync(path).length, bytes <= 50_000]).toEqual([bytes, true]);
  });

  it("refuses to mix with shards that are there, and replaces all of them when told to", async () => {
    const to = join(folder, "mixed-%06d.bin");
    await photos.pipeTo(shardWriter(to, { samplesPerShard: 100 }));
    await expect(photos.pipeTo(shardWriter(to, { samplesPerShard: 500 }))).rejects.toMatchObject({
      code: "SHARD_UNWRITABLE",
      hint: expect.stringContaining("overwrite"),
    });
    const written = await photos.pipeTo(shardWriter(to, { samplesPerShard: 500, overwrite: true }));
    expect(readdirSync(folder).filter((name) => name.startsWith("mixed")).length).toBe(written.shards.length);
  });

  it("leaves nothing half-written behind when reading fails", async () => {
    const broken = photos.map(
      (p) => {
        if (p.id === 250) throw new Error("no");
        return p;
      },
      { type: Photo },
    );
    await expect(broken.pipeTo(shardWriter(join(folder, "broken-%06d.bin"), { samplesPerShard: 100 }))).rejects.toThrow(
      "no",
    );
    expect(readdirSync(folder).filter((name) => name.includes("broken"))).toEqual([]);
  });

  it("leaves shards that were there untouched when replacing them fails", async () => {
    const to = join(folder, "kept-%06d.bin");
    const readBack = () =>
      dataset(
        [0, 1, 2].map((i) => join(folder, `kept-00000${i}.bin`)),
        Photo,
      ).toArray();
    await photos.take(300).pipeTo(shardWriter(to, { samplesPerShard: 100 }));
    const broken = photos.map((p) => (p.id === 150 ? ({} as typeof p) : p), { type: Photo });
    await expect(broken.pipeTo(shardWriter(to, { samplesPerShard: 100, overwrite: true }))).rejects.toMatchObject({
      code: "SCHEMA_MISMATCH",
      facts: { key: "000000150" },
    });
    expect(await readBack()).toEqual(all.slice(0, 300));
  });

  it("sweeps what a killed writer left", async () => {
    const script = `
      import { dataset, shardWriter } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      const slow = dataset(${JSON.stringify(pattern)}).map(async (sample) => sample);
      let seen = 0;
      const counted = slow.tap(() => { if (++seen === 450) process.kill(process.pid, "SIGKILL"); });
      await counted.pipeTo(shardWriter(${JSON.stringify(join(folder, "swept-%06d.bin"))}, { samplesPerShard: 100 }));`;
    const file = join(folder, "killed.mjs");
    writeFileSync(file, script);
    const { runtime } = await import("./needs.ts");
    const flags = { node: [], deno: ["run", "-A", "--node-modules-dir=manual"], bun: [] }[runtime];
    const killed = spawnSync(process.execPath, [...flags, file], { encoding: "utf8" });
    expect(killed.signal, killed.stderr).toBe("SIGKILL");
    const left = () => readdirSync(folder).filter((name) => name.includes("swept"));
    expect(left().length).toBeGreaterThan(0);
    expect(left().every((name) => name.endsWith(".partial"))).toBe(true);
    await photos.take(100).pipeTo(shardWriter(join(folder, "swept-%06d.bin"), { samplesPerShard: 100 }));
    expect(left()).toEqual(["swept-000000.bin"]);
  });

  it("keeps keys that look like numbers, and checks those of raw samples", async () => {
    const parts = new Map([["txt", new TextEncoder().encode("x")]]);
    const to = join(folder, "numbers.bin");
    await fromArray(["0", "x", "2"].map((key) => ({ key, parts }))).pipeTo(shardWriter(to));
    await rawSamples([to]).pipeTo(shardWriter(join(folder, "numbers-copy.bin")));
    expect((await rawSamples([join(folder, "numbers-copy.bin")]).toArray()).map(({ key }) => key)).toEqual([
      "0",
      "x",
      "2",
    ]);
    for (const raw of [
      { key: "../x", parts },
      { key: "a.b", parts },
      { key: "", parts },
      { key: "a", parts: new Map() },
      { key: "a", parts: new Map([["txt", "hello"]]) },
      { key: "a", parts: new Map([["../x", new Uint8Array(1)]]) },
    ]) {
      await expect(fromArray([raw]).pipeTo(shardWriter(join(folder, "raw.bin")))).rejects.toBeInstanceOf(PipelineError);
    }
  });

  it("refuses patterns that it cannot keep", () => {
    return Promise.all([
      expect(photos.pipeTo(shardWriter("f%d/a.tar"))).rejects.toThrow(TypeError),
      expect(photos.pipeTo(shardWriter("p-%d-%d.tar"))).rejects.toThrow(TypeError),
      expect(photos.pipeTo(shardWriter("s3://bucket/x-%d.tar"))).rejects.toMatchObject({ code: "UNSUPPORTED" }),
      expect(photos.pipeTo(shardWriter("x.tar.xz"))).rejects.toMatchObject({ code: "UNSUPPORTED" }),
    ]);
  });

  it("wants a type before it opens a file", async () => {
    await expect(fromArray([{ a: 1 }]).pipeTo(shardWriter(join(folder, "untyped.bin")))).rejects.toMatchObject({
      code: "SCHEMA_REQUIRED",
    });
    await expect(photos.batch(2).pipeTo(shardWriter(join(folder, "untyped.bin")) as never)).rejects.toMatchObject({
      code: "SCHEMA_REQUIRED",
      hint: expect.stringContaining("flatMap"),
    });
    expect(readdirSync(folder).filter((name) => name.includes("untyped"))).toEqual([]);
  });

  it("copies untyped samples and samples of several files to the byte", async () => {
    await dataset(pattern).pipeTo(shardWriter(join(folder, "copy-%06d.bin"), { samplesPerShard: 150 }));
    expect(readFileSync(join(folder, "copy-000003.bin"))).toEqual(readFileSync(join(folder, "photos-000003.tar")));
    const classic = "test/fixtures/atdata/webdataset_classic/multi-000000.tar";
    await rawSamples(classic).pipeTo(shardWriter(join(folder, "classic.bin")));
    const [before, after] = await Promise.all([
      rawSamples(classic).toArray(),
      rawSamples([join(folder, "classic.bin")]).toArray(),
    ]);
    expect(after.map(({ key, parts }) => [key, parts])).toEqual(before.map(({ key, parts }) => [key, parts]));
  });

  it("takes keys from a function, and says which cannot be one", async () => {
    const to = join(folder, "keys.bin");
    await photos.take(3).pipeTo(shardWriter<{ id: number; label: string }>(to, { key: (p) => `${p.label}/${p.id}` }));
    expect((await rawSamples([to]).toArray()).map(({ key }) => key)).toEqual(["cat/0", "dog/1", "bird/2"]);
    await expect(photos.pipeTo(shardWriter(join(folder, "bad.bin"), { key: () => "a.b" }))).rejects.toMatchObject({
      code: "KEY_INVALID",
    });
    await expect(photos.pipeTo(shardWriter(join(folder, "bad.bin"), { key: () => "same" }))).rejects.toMatchObject({
      code: "KEY_INVALID",
    });
  });

  it("writes a dataset without samples as one empty shard", async () => {
    await photos.take(0).pipeTo(shardWriter(join(folder, "empty.bin")));
    expect(await dataset([join(folder, "empty.bin")], Photo).toArray()).toEqual([]);
  });

  it.each([".tar.gz", ".tar.zst"])("compresses %s", async (ending) => {
    const to = join(folder, `packed${ending}`);
    await photos.take(200).pipeTo(shardWriter(to));
    expect(readFileSync(to).length).toBeLessThan(40_000);
    expect(ids(await dataset([to], Photo).toArray())).toEqual(ids(all.slice(0, 200)));
  });
});

describe("samples of several files", () => {
  const classic = "test/fixtures/atdata/webdataset_classic/multi-000000.tar";

  it("are decoded by the ending of each file", async () => {
    const samples = await dataset(classic, { members: "files" }).toArray();
    expect(samples[0]).toMatchObject({ cls: 0, txt: "caption 0 😀", json: { i: 0 }, jpg: expect.any(Uint8Array) });
    expect(await rawSamples(classic).map(decodeParts).toArray()).toEqual(samples);
  });

  it("are checked against a type", async () => {
    const Captioned = defineSample("Captioned", { cls: field.int(), txt: field.string() });
    await expect(dataset(classic, Captioned, { members: "files" }).toArray()).rejects.toMatchObject({
      code: "SCHEMA_MISMATCH",
    });
    const Whole = defineSample("Whole", {
      cls: field.int(),
      jpg: field.bytes(),
      json: field.dict(),
      txt: field.string(),
    });
    const run = dataset(classic, Whole, { members: "files" }).run({ onError: "skip" });
    expect((await Array.fromAsync(run)).map(({ cls }) => cls)).toEqual([2]);
  });
});

describe("JSON lines", () => {
  it("are read and written, compressed or not", async () => {
    for (const name of ["lines.jsonl", "lines.jsonl.gz"]) {
      const path = join(folder, name);
      const values = Array.from({ length: 700 }, (_, n) => ({ n, text: `line ${n} é` }));
      expect(await fromArray(values).pipeTo(jsonLinesWriter(path))).toMatchObject({ lines: 700 });
      expect(await fromJsonLines(path).toArray()).toEqual(values);
    }
  });

  it("say which line is wrong, and what has no form in JSON", async () => {
    const path = join(folder, "wrong.jsonl");
    writeFileSync(path, '{"n":1}\n\n{"n":\n{"n":3}\n');
    await expect(fromJsonLines(path).toArray()).rejects.toMatchObject({ code: "SAMPLE_CORRUPT", facts: { index: 1 } });
    expect(await fromJsonLines(path).toArray({ onError: "skip" })).toEqual([{ n: 1 }, { n: 3 }]);
    const dates = fromArray([{ at: new Date(0) }]);
    await expect(dates.pipeTo(jsonLinesWriter(join(folder, "no.jsonl")))).rejects.toThrow('"at" is a Date');
    await expect(fromArray([{ x: 1n }]).pipeTo(jsonLinesWriter(join(folder, "no.jsonl")))).rejects.toThrow(
      '"x" is a bigint',
    );
  });
});

describe("operators in a plan", () => {
  it("are the same values that stand alone", async () => {
    const plan = photos.pipeThrough(where((p) => p.label.eq("cat"))).pipeThrough(map((p) => p.id));
    expect(await plan.head(3)).toEqual([0, 3, 6]);
  });

  it("explain what will be done", () => {
    const text = String(photos.shuffle({ window: 10 }).select("label").batch(4, { recycle: true }).explain());
    expect(text).toContain("only label");
    expect(text).toContain("used again");
  });
});
