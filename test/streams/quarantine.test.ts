import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  type Checkpoint,
  concat,
  type Dataset,
  dataset,
  defineSample,
  field,
  fromArray,
  fromIterable,
  fromJsonLines,
  NdArray,
  PipelineError,
  quarantine,
  rawSamples,
  replay,
  shardWriter,
} from "../../src/index.ts";
import { runtime } from "../needs.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();
let files = 0;
const fresh = (ending = ".jsonl"): string => join(folder, `file-${files++}${ending}`);
const Item = defineSample("Item", { id: field.int(), text: field.string(), score: field.float() });
const item = (id: number) => ({ id, text: `text ${id} ${"x".repeat(id % 90)}`, score: id / 4 });
const COUNT = 2_000;
const isBad = (id: number): boolean => id % 100 === 37;
const bad = Array.from({ length: COUNT }, (_, id) => id).filter(isBad);

await fromArray(
  Item,
  Array.from({ length: COUNT }, (_, id) => item(id)),
).pipeTo(shardWriter(join(folder, "items-%03d.tar"), { samplesPerShard: 500 }));
const pattern = join(folder, "items-*.tar");
const items = dataset(pattern, Item);

interface Line {
  readonly scope: string;
  readonly error: { readonly code: string; readonly message: string };
  readonly stage: string;
  readonly shard: string;
  readonly index: number;
  readonly key: string;
  readonly part: number;
  readonly schema: { readonly name: string };
  readonly parts?: readonly (readonly [string, string])[];
  readonly value?: unknown;
}
const linesOf = (path: string): Line[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
const idsOf = (samples: readonly { readonly id: number }[]): number[] => samples.map(({ id }) => id);
const sorted = (ids: readonly number[]): number[] => ids.toSorted((a, b) => a - b);
const everyId = Array.from({ length: COUNT }, (_, id) => id);
const origin = (id: number): string => `${Math.floor(id / 500)}:${id % 500}`;
const originOf = ({ shard, index }: Line): string => `${Number(/(\d+)\.tar$/.exec(shard)![1])}:${index}`;

/** Runs a plan with a fault into a quarantine, and the mended plan over that: both together are all samples, each once. */
async function holds(
  broken: Dataset<{ readonly id: number }>,
  mended: Dataset<{ readonly id: number }>,
  stage: string,
): Promise<void> {
  const path = fresh();
  const run = broken.run({ onError: quarantine(path) });
  const delivered = await Array.fromAsync(run);
  const lines = linesOf(path);
  expect(sorted(idsOf(delivered))).toEqual(everyId.filter((id) => !isBad(id)));
  expect(lines.map(originOf).toSorted()).toEqual(bad.map(origin).toSorted());
  expect(new Set(lines.map((line) => line.stage))).toEqual(new Set([stage]));
  expect(lines.every(({ parts, schema }) => parts?.length === 1 && schema.name === "Item")).toBe(true);
  expect(run.summary).toMatchObject({ quarantinedSamples: bad.length, skippedSamples: 0 });
  const again = await replay(path, mended).toArray();
  expect(sorted([...idsOf(delivered), ...idsOf(again)])).toEqual(everyId);
}

type Sample = ReturnType<typeof item>;
const fail = <S extends { readonly id: number }>(sample: S): S => {
  if (isBad(sample.id)) throw new Error(`no ${sample.id}`);
  return sample;
};
const same = <S>(sample: S): S => sample;

describe("quarantine()", () => {
  it("keeps what a map failed at", () => holds(items.map(fail), items.map(same), "map"));

  it("keeps what an async map failed at", async () => {
    const slow = async (sample: Sample) => {
      await new Promise((resolve) => setTimeout(resolve, sample.id % 3));
      return fail(sample);
    };
    await holds(
      items.map(slow, { concurrency: 32 }),
      items.map(async (sample) => sample),
      "map",
    );
  });

  it("keeps what a filter failed at", () =>
    holds(
      items.filter((sample) => fail(sample) !== undefined),
      items.filter(() => true),
      "filter",
    ));

  it("keeps what failed behind a shuffle, before one, and between two", async () => {
    const shuffled = items.shuffle({ window: 300, seed: 1 });
    await holds(shuffled.map(fail), shuffled, "map");
    await holds(items.map(fail).shuffle({ window: 300 }), items.shuffle({ window: 300 }), "map");
    const twice = shuffled.map(same).shuffle({ window: 700, seed: 2 });
    await holds(twice.map(fail), twice, "map");
  });

  it("keeps what failed of samples in the order of a shuffle of all, or picked", async () => {
    await holds(items.shuffle({ seed: 3 }).map(fail), items.shuffle({ seed: 3 }).map(same), "map");
    const blocks = items.shuffle({ seed: 3, blockBytes: 20_000 });
    await holds(blocks.map(fail), blocks.map(same), "map");
    await holds(items.slice(0, COUNT).map(fail), items.slice(0, COUNT).map(same), "map");
    await holds(items.sample(COUNT).map(fail), items.sample(COUNT).map(same), "map");
  });

  it("refuses to run again what was mixed", () => {
    expect(() => replay(fresh(), concat([items, items]))).toThrow(/Cannot replay a quarantine through concat/);
  });

  it("keeps what failed behind read-ahead, a take, a second map and a tap", async () => {
    const plan = items.map(same).prefetch(8).take(COUNT).map(same);
    await holds(plan.tap(fail), plan, "tap");
  });

  it("keeps what failed behind an async map that holds samples", async () => {
    const plan = items.map(async (sample) => sample);
    await holds(plan.map(fail), plan, "map");
  });

  it("keeps what flatMap failed at, and only the outputs that failed behind it", async () => {
    const twice = items.flatMap((sample) => [
      { id: sample.id, half: 0 },
      { id: sample.id, half: 1 },
    ]);
    const broken = twice.map((one) => (one.half === 1 ? fail(one) : one));
    const path = fresh();
    const delivered = await broken.toArray({ onError: quarantine(path) });
    expect(delivered).toHaveLength(2 * COUNT - bad.length);
    expect(linesOf(path).map(({ part }) => part)).toEqual(bad.map(() => 1));
    const again = await replay(path, twice).toArray();
    expect(again).toEqual(bad.map((id) => ({ id, half: 1 })));

    const cut = items.flatMap(function* ({ id }) {
      yield { id, half: 0 };
      yield fail({ id, half: 1 });
    });
    const other = fresh();
    expect(await cut.toArray({ onError: quarantine(other) })).toHaveLength(2 * COUNT - bad.length);
    expect(await replay(other, twice).toArray()).toEqual(again);
  });

  it("keeps each sample of a batch that failed, decoded to columns or not", async () => {
    for (const plan of [items, items.map(same, { type: Item })]) {
      const path = fresh();
      const ids = (broken: boolean) =>
        plan.batch(8).map((batch) => {
          const ids = [...(batch.column("id") as Float64Array)];
          if (broken && ids.includes(500)) throw new Error("no such batch");
          return ids;
        });
      const run = ids(true).run({ onError: quarantine(path) });
      const delivered = (await Array.fromAsync(run)).flat();
      expect(run.summary.quarantinedSamples).toBe(8);
      expect(linesOf(path)).toHaveLength(8);
      const again = await replay(path, ids(false)).toArray();
      expect(again).toHaveLength(1);
      expect(sorted([...delivered, ...again.flat()])).toEqual(everyId);
    }
  });

  it("keeps the bytes that did not decode, as they are stored", async () => {
    const shards: string[] = [];
    for (let shard = 0; shard < 4; shard++) {
      const bytes = readFileSync(join(folder, `items-00${shard}.tar`));
      const text = bytes.toString("latin1");
      for (const id of bad.filter((one) => Math.floor(one / 500) === shard)) {
        const at = text.indexOf(`text ${id} `);
        bytes[at - 6] = 0xc1; // in the name of the field
      }
      shards.push(fresh(".tar"));
      writeFileSync(shards.at(-1)!, bytes);
    }
    for (const plan of [dataset(shards, Item), dataset(shards, Item).shuffle({ window: 500 })]) {
      const path = fresh();
      const run = plan.run({ onError: quarantine(path) });
      const delivered = await Array.fromAsync(run);
      expect(sorted(idsOf(delivered))).toEqual(everyId.filter((id) => !isBad(id)));
      const lines = linesOf(path);
      expect(lines.map(({ index }) => index).toSorted()).toEqual(bad.map((id) => id % 500).toSorted());
      for (const { shard, index, parts, stage } of lines) {
        expect(stage).toBe("decode");
        const [raw] = await rawSamples(shard).skip(index).head(1);
        expect(parts).toEqual([["msgpack", Buffer.from(raw!.parts.get("msgpack")!).toString("base64")]]);
      }
      // What is wrong with them still is.
      const again = replay(path, dataset(shards, Item)).run({ onError: "skip" });
      expect(await again.count()).toBe(0);
      expect(again.summary.skippedSamples).toBe(bad.length);
    }
  });

  it("runs samples again with a type that was mended, when the shards are gone", async () => {
    const Wrong = defineSample("Item", { id: field.int(), text: field.string(), score: field.string() });
    const path = fresh();
    const one = fresh(".tar");
    await items.take(5).pipeTo(shardWriter(one));
    const run = dataset(one, Wrong).run({ onError: quarantine(path) });
    expect(await run.count()).toBe(0);
    expect(run.summary.quarantinedSamples).toBe(5);
    const again = replay(path, dataset(join(folder, "gone-*.tar"), Item));
    expect(await again.toArray()).toEqual([0, 1, 2, 3, 4].map(item));
    expect((await again.withOrigin().head(1))[0]!.origin).toMatchObject({ shard: one, key: "000000000", index: 0 });
  });

  it("keeps all files of a sample", async () => {
    const shard = fresh(".tar");
    const raw = Array.from({ length: 20 }, (_, n) => ({
      key: `k${n}`,
      parts: new Map([
        ["json", new TextEncoder().encode(n === 7 ? "{" : `{"n":${n}}`)],
        ["bin", Uint8Array.of(n, 255)],
      ]),
      origin: { shard: "", index: n },
    }));
    await fromArray(raw).pipeTo(shardWriter(shard));
    const path = fresh();
    const plan = dataset(shard, { members: "files" }).map((sample) => {
      if ((sample.json as { n: number }).n === 3) throw new Error("three");
      return sample;
    });
    const run = plan.run({ onError: quarantine(path) });
    expect(await Array.fromAsync(run)).toHaveLength(18);
    expect(linesOf(path).map(({ key, stage, parts }) => [key, stage, parts])).toEqual([
      [
        "k3",
        "map",
        [
          ["json", btoa('{"n":3}')],
          ["bin", btoa("\x03\xff")],
        ],
      ],
      [
        "k7",
        "decode",
        [
          ["json", btoa("{")],
          ["bin", btoa("\x07\xff")],
        ],
      ],
    ]);
    expect(
      await replay(path, rawSamples(shard))
        .map(({ key }) => key)
        .toArray(),
    ).toEqual(["k3", "k7"]);
  });

  it("keeps values that come from no shard, whole", async () => {
    const samples = [
      { n: 1, f: 0.5, big: 2n ** 60n, b: new Uint8Array(100_000).fill(7), s: "é", l: [null, true, { x: -0 }] },
      { n: 2, array: NdArray.from([[1, 2]], "int16") },
      5,
      "text",
    ];
    for (const source of [fromArray<unknown>(samples), fromIterable<unknown>(() => samples)]) {
      const path = fresh();
      const run = source
        .map(() => {
          throw new Error("all");
        })
        .run({ onError: quarantine(path) });
      expect(await run.count()).toBe(0);
      expect(await replay(path, source).toArray()).toEqual(samples);
    }
    const path = fresh();
    const dates = fromArray([new Date(0)]);
    const broken = dates.map(() => {
      throw new Error("all");
    });
    await broken.toArray({ onError: quarantine(path) });
    expect(linesOf(path)).toMatchObject([{ scope: "sample", key: "0", index: 0 }]);
    await expect(replay(path, dates).toArray()).rejects.toThrow("its value was not kept");
  });

  it("keeps lines of JSON, also those that are none", async () => {
    const file = fresh();
    writeFileSync(file, '{"n":1}\n{"n":\n{"n":3}\n');
    const path = fresh();
    const plan = fromJsonLines<{ n: number }>(file).map(({ n }) => {
      if (n === 3) throw new Error("three");
      return n;
    });
    expect(await plan.toArray({ onError: quarantine(path) })).toEqual([1]);
    expect(linesOf(path).map(({ index, stage }) => [index, stage])).toEqual([
      [1, "read"],
      [2, "map"],
    ]);
    const again = replay(path, fromJsonLines<{ n: number }>(file)).run({ onError: "skip" });
    expect(await Array.fromAsync(again)).toEqual([{ n: 3 }]);
    expect(again.summary.skippedSamples).toBe(1);
  });

  it("keeps the place in a shard that is cut, and reads the rest when it is whole again", async () => {
    const whole = readFileSync(join(folder, "items-000.tar"));
    const shard = fresh(".tar");
    writeFileSync(shard, whole.subarray(0, whole.length / 2));
    const path = fresh();
    const run = dataset(shard, Item).run({ onError: { shard: quarantine(path) } });
    const delivered = await Array.fromAsync(run);
    expect(run.summary).toMatchObject({ quarantinedShards: 1, skippedShards: 0 });
    expect(linesOf(path)).toMatchObject([
      { scope: "shard", shard, index: delivered.length, error: { code: "SHARD_TRUNCATED" } },
    ]);
    writeFileSync(shard, whole);
    const again = await replay(path, dataset(shard, Item)).toArray();
    expect(idsOf([...delivered, ...again])).toEqual(everyId.slice(0, 500));
  });

  it("numbers samples behind a damaged shard alike, whether its index is used or not", async () => {
    const damaged = fresh("");
    await fromArray(
      Item,
      everyId.slice(0, 1_000).map((id) => item(id)),
    ).pipeTo(shardWriter(join(damaged, "%d.tar"), { samplesPerShard: 250, index: true }));
    const bytes = readFileSync(join(damaged, "1.tar"));
    bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 2048);
    writeFileSync(join(damaged, "1.tar"), bytes);
    const plan = dataset(damaged, Item);
    const onError = "skip";
    const whole = idsOf(await plan.toArray({ onError }));
    expect(whole.length).toBeLessThan(900);
    expect(whole.at(-1)).toBe(999);
    for (const cut of [10, 300, whole.length - 450, whole.length - 100]) {
      const run = plan.run({ onError });
      const ids: number[] = [];
      while (ids.length < cut) ids.push((await run.next()).value!.id);
      const resume = run.checkpoint();
      await run.return();
      expect([...ids, ...idsOf(await plan.toArray({ onError, resume }))]).toEqual(whole);
    }
    const parts = [0, 1, 2].map((rank) => plan.toArray({ onError, rank, worldSize: 3 }));
    expect(sorted(idsOf((await Promise.all(parts)).flat()))).toEqual(whole);
  });

  it("takes each sample once when a resumed run met with it again", async () => {
    const path = fresh();
    const plan = items.shuffle({ window: 256, seed: 5 }).map(fail);
    const options = { onError: quarantine(path) };
    const run = plan.run(options);
    const delivered: Sample[] = [];
    let saved: Checkpoint | undefined;
    for await (const sample of run) {
      if (saved === undefined) delivered.push(sample);
      if (delivered.length === 700) saved ??= run.checkpoint();
      if (run.summary.items === 1_500) break;
    }
    for await (const sample of plan.run({ ...options, resume: saved! })) delivered.push(sample);
    const lines = linesOf(path);
    expect(lines.length).toBeGreaterThan(bad.length);
    const again = await replay(path, items.shuffle({ window: 256, seed: 5 })).toArray();
    expect(again).toHaveLength(bad.length);
    expect(sorted([...idsOf(delivered), ...idsOf(again)])).toEqual(everyId);
  });

  it("can be replayed into another quarantine, and resumed", async () => {
    const [path, still] = [fresh(), fresh()];
    await items.map(fail).toArray({ onError: quarantine(path) });
    const halfMended = items.map((sample) => (sample.id < 1_000 ? sample : fail(sample)));
    const run = replay(path, halfMended).run({ onError: quarantine(still) });
    const first = await run.next();
    const checkpoint = run.checkpoint();
    await run.return();
    const rest = await replay(path, halfMended).toArray({ resume: checkpoint, onError: quarantine(still) });
    const last = await replay(still, items).toArray();
    expect(idsOf([first.value!, ...rest, ...last])).toEqual(bad);
  });

  it("passes over a line that was cut, and begins a new one behind it", async () => {
    const path = fresh();
    appendFileSync(path, '{"version":1,"scope":"sam');
    await items.map(fail).toArray({ onError: quarantine(path) });
    const run = replay(path, items).run();
    expect(await run.count()).toBe(bad.length);
    expect(run.summary.warnings).toEqual([expect.stringContaining("no line of a quarantine")]);
  });

  it("says at once when it cannot be written", async () => {
    const failing = items.run({ onError: quarantine(join(folder, "items-000.tar", "x.jsonl")) });
    await expect(failing.next()).rejects.toMatchObject({ code: "SHARD_UNWRITABLE" });
  });

  it("loses nothing and repeats nothing when the process is killed again and again", async () => {
    const [path, out] = [fresh(), fresh()];
    const script = fileURLToPath(new URL("./quarantine-killed.ts", import.meta.url));
    const args = ["--conditions=@shardstream/source", script, pattern, path, out];
    if (runtime === "deno") args.unshift("run", "-A");
    /** Ends with the signal that killed it, or null when it came to its end. */
    const runFor = (lines: number): Promise<string | null> =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
        const before = existsSync(out) ? linesOf(out).length : 0;
        const watch = setInterval(() => {
          if (existsSync(out) && readFileSync(out, "utf8").split("\n").length > before + lines) child.kill("SIGKILL");
        }, 2);
        child.on("close", (code, signal) => {
          clearInterval(watch);
          if (code !== 0 && signal === null) reject(new Error(`it ended with ${code}`));
          else resolve(signal);
        });
      });
    expect(await runFor(5)).toBe("SIGKILL");
    expect(await runFor(30)).toBe("SIGKILL");
    expect(await runFor(Number.POSITIVE_INFINITY)).toBe(null);
    const delivered = readFileSync(out, "utf8")
      .trimEnd()
      .split("\n")
      .flatMap((line) => (JSON.parse(line) as { ids: number[] }).ids);
    const again = await replay(path, items.shuffle({ window: 200, seed: 3 })).toArray();
    expect(sorted([...delivered, ...idsOf(again)])).toEqual(everyId);
  }, 60_000);
});

describe("onError", () => {
  const numbers = fromArray(Array.from({ length: 500 }, (_, n) => n));
  const failing = (error: () => unknown) =>
    numbers.map(() => {
      throw error();
    });

  it("ends a run when too many samples fail in a row", async () => {
    const none = () => failing(() => new Error("none"));
    await expect(none().toArray({ onError: "skip" })).rejects.toMatchObject({ facts: { key: "99" } });
    await expect(none().toArray({ onError: { sample: "skip", maxConsecutive: 3 } })).rejects.toThrow('sample "2"');
    const run = none().run({ onError: { sample: "skip", maxConsecutive: Number.POSITIVE_INFINITY } });
    expect(await run.count()).toBe(0);
    expect(run.summary).toMatchObject({ skippedSamples: 500, moreErrors: 400 });
    expect(run.summary.errors).toHaveLength(100);
    expect(() => none().run({ onError: { maxConsecutive: 0 } })).toThrow(RangeError);
    expect(() => none().run({ onError: "ignore" as never })).toThrow(TypeError);
  });

  it.each<[string, () => unknown]>([
    ["an abort", () => new DOMException("stop", "AbortError")],
    ["a sink", () => new PipelineError("SHARD_UNWRITABLE", "Cannot write")],
    ["a package that is missing", () => new PipelineError("NOT_INSTALLED", "Cannot load")],
    ["a module that is missing", () => Object.assign(new Error("no module"), { code: "ERR_MODULE_NOT_FOUND" })],
    ["a syntax error", () => new SyntaxError("Unexpected token '}'")],
    ["memory", () => new RangeError("Array buffer allocation failed")],
    [
      "a wrong argument",
      () => {
        try {
          numbers.batch(0);
        } catch (error) {
          return error;
        }
        return undefined;
      },
    ],
  ])("never skips %s", async (_, error) => {
    await expect(failing(error).toArray({ onError: "skip" })).rejects.toThrow();
    await expect(failing(error).toArray({ onError: quarantine(fresh()) })).rejects.toThrow();
  });

  it("never skips a filter that would have to wait", async () => {
    const plan = numbers.filter((async () => true) as never);
    await expect(plan.toArray({ onError: "skip" })).rejects.toThrow("a filter does not wait");
  });

  it("skips text that does not parse", async () => {
    const plan = fromArray(["1", "{", "3"]).map((text) => JSON.parse(text) as number);
    expect(await plan.toArray({ onError: "skip" })).toEqual([1, 3]);
  });
});
