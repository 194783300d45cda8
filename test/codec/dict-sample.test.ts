import { describe, expect, it } from "vitest";
import { decodeArray } from "../../src/codec/array.ts";
import { canonicalOfDictSample } from "../../src/codec/canonical.ts";
import { DictSample } from "../../src/codec/dict-sample.ts";
import { dictSampleFromCanonical } from "../../src/codec/from-canonical.ts";
import { encodeUntyped } from "../../src/codec/msgpack-write.ts";
import { NdArray } from "../../src/schema/ndarray.ts";
import { corruptPayload, fromHex, type Json, payloads, readJson } from "./fixtures.ts";

const folders = [
  "primitives",
  "optional",
  "lists",
  "ndarrays",
  "ndarray_legacy_npy",
  "batching",
  "dictsample",
  "formats_auto",
  "multishard",
  "multishard_maxsize",
  "empty_shard",
  "lens",
];

describe("DictSample", () => {
  for (const folder of folders) {
    it(`reads ${folder} as Python does`, async () => {
      for (const shard of readJson(`${folder}/expected.json`).shards) {
        const samples = payloads(folder, shard).map((bytes) => new DictSample(bytes));
        expect(await Promise.all(samples.map(canonicalOfDictSample))).toEqual(shard.dict.samples);
        for (const sample of samples) {
          const json = await canonicalOfDictSample(sample);
          // Of what is too large to stand in the text there is only a digest, and nothing to read back.
          if (!JSON.stringify(json).includes("sha256"))
            expect(dictSampleFromCanonical(json).bytes).toEqual(sample.bytes);
        }
      }
    });
  }

  it("reads fields when they are asked for, in the order they are stored", () => {
    const sample = DictSample.from({ z: 1, text: "one", a: [1, { b: null }], raw: new Uint8Array([1, 2]) });
    expect([...sample.keys()]).toEqual(["z", "text", "a", "raw"]);
    expect([sample.size, sample.has("a"), sample.has("b"), sample.get("b"), sample.kindOf("b")]).toEqual([
      4,
      true,
      false,
      undefined,
      undefined,
    ]);
    expect(Object.fromEntries(sample)).toEqual({ z: 1, text: "one", a: [1, { b: null }], raw: new Uint8Array([1, 2]) });
    expect(sample.get("a")).toBe(sample.get("a"));
    expect(String(sample)).toBe("DictSample(z, text, a, raw)");
  });

  it("tells kinds apart, an integer from a float of the same value too", () => {
    const sample = new DictSample(fromHex("82a16901a166cb3ff0000000000000"));
    expect([sample.get("i"), sample.get("f")]).toEqual([1, 1]);
    expect([sample.kindOf("i"), sample.kindOf("f")]).toEqual(["int", "float"]);
    const all = DictSample.from({ a: null, b: true, c: "", d: new Uint8Array(0), e: [], f: {} });
    expect([...all.keys()].map((name) => all.kindOf(name))).toEqual(["null", "bool", "string", "bytes", "list", "map"]);
  });

  it("takes arrays as their bytes", () => {
    const array = NdArray.from([1, 2], "int16");
    const sample = DictSample.from({ array });
    expect(sample.kindOf("array")).toBe("bytes");
    expect(decodeArray(sample.get("array") as Uint8Array).equals(array)).toBe(true);
  });

  it("ignores bytes behind the map, and leaves them out of its own", () => {
    const sample = new DictSample(fromHex("81a16101ff"));
    expect([sample.toObject(), sample.bytes.length]).toEqual([{ a: 1 }, 4]);
  });

  it("keeps hostile names apart from the prototype", () => {
    const sample = new DictSample(encodeUntyped(JSON.parse('{"__proto__": 1, "toString": 2}')));
    expect(Object.entries(sample.toObject())).toEqual([
      ["__proto__", 1],
      ["toString", 2],
    ]);
    expect(DictSample.from(sample.toObject()).bytes).toEqual(sample.bytes);
  });

  it("keeps the last value of a repeated name", () => {
    expect([...new DictSample(fromHex("83a16101a16202a16103"))]).toEqual([
      ["a", 3],
      ["b", 2],
    ]);
  });

  const { cases } = readJson("corrupt/expected.json");
  it.each<[string, Json]>(
    cases.filter(({ file }: Json) => file.startsWith("msgpack_")).map((entry: Json) => [entry.file, entry]),
  )("%s", async (file, { dict }) => {
    const bytes = corruptPayload(file);
    if (dict.error === null) expect(await canonicalOfDictSample(new DictSample(bytes))).toEqual(dict.samples[1]);
    else expect(() => new DictSample(bytes)).toThrow(expect.objectContaining({ code: "SAMPLE_CORRUPT" }));
  });

  it("finds damage inside of values at once", () => {
    for (const hex of [
      "81a16192c0",
      "81a161a1ff",
      "81a16191a1ff",
      "81a16181a1ff01",
      "81a161",
      "81",
      "81a161c1",
      "81a1",
      "de0001",
      "c0",
      "",
    ]) {
      expect(() => new DictSample(fromHex(hex))).toThrow(/^Cannot read a sample: .+ \(byte \d+\)$/);
    }
  });
});
