import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalOfMsgpack, canonicalOfSample } from "../../src/codec/canonical.ts";
import { dictSampleFromCanonical, msgpackFromCanonical, sampleFromCanonical } from "../../src/codec/from-canonical.ts";
import { encodeUntyped } from "../../src/codec/msgpack-write.ts";
import { field } from "../../src/schema/field.ts";
import { floatRepr } from "../../src/schema/float-repr.ts";
import { NdArray } from "../../src/schema/ndarray.ts";
import { defineSample } from "../../src/schema/sample.ts";
import { sampleTypeOf } from "../../src/schema/sample-type-of.ts";
import { type Json, readJson } from "./fixtures.ts";

describe("floatRepr()", () => {
  it("is Python's repr for every float of the vectors", () => {
    const floats: Json[] = [];
    JSON.stringify(["vectors/msgpack.json", "vectors/cids.json"].map(readJson), (_key, value) => {
      if (value?.$float !== undefined) floats.push(value);
      return value;
    });
    expect(floats.length).toBeGreaterThan(60);
    for (const { $float, repr } of floats) {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigUint64(0, BigInt(`0x${$float}`));
      expect(floatRepr(view.getFloat64(0))).toBe(repr);
    }
  });

  it("changes form at 1e16 and 1e-5", () => {
    const numbers = [1e15, 9999999999999998, 1e16, 1.5e16, 0.0001, 0.00001, 1.25e-5, 123456, -0, 1e22, 1e100, 5e-324];
    const texts =
      "1000000000000000.0 9999999999999998.0 1e+16 1.5e+16 0.0001 1e-05 1.25e-05 123456.0 -0.0 1e+22 1e+100 5e-324";
    expect(numbers.map(floatRepr).join(" ")).toBe(texts);
  });

  it("reads back to the same float (seeded)", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) =>
        Object.is(Number(floatRepr(value).replace("inf", "Infinity")), value),
      ),
      { seed: 5 },
    );
  });
});

describe("canonicalOfSample() and sampleFromCanonical()", () => {
  for (const folder of ["primitives", "optional", "lists", "ndarrays", "multishard", "lens"]) {
    it(`spells ${folder} as Python does`, async () => {
      const { schema, schemas, shards } = readJson(`${folder}/expected.json`);
      if (schema === undefined) expect(schemas).toBeDefined();
      const type = sampleTypeOf(schema ?? Object.values(schemas)[0]);
      for (const shard of shards) {
        for (const sample of shard.typed.samples) {
          if (JSON.stringify(sample).includes("sha256")) continue; // only a digest of it is known
          expect(await canonicalOfSample(type, sampleFromCanonical(type, sample) as object)).toEqual(sample);
        }
      }
    });
  }

  const Everything = defineSample("Everything", {
    text: field.string(),
    n: field.int(),
    big: field.int("bigint"),
    any: field.int("auto"),
    x: field.float(),
    ok: field.bool(),
    raw: field.bytes(),
    array: field.ndarray("float32"),
    list: field.list(field.list(field.float())),
    dict: field.dict(field.int()),
    loose: field.dict(),
    gone: field.optional(field.string()),
  });
  const sample = {
    text: "é",
    n: 1,
    big: 2n,
    any: 2n ** 60n,
    x: 1,
    ok: true,
    raw: new Uint8Array([1]),
    array: new NdArray("float32", [1], new Float32Array([1]), ">"),
    list: [[1, NaN]],
    dict: { a: 1, __proto__: 2 },
    loose: { f: 1.5, i: 3, b: 2n ** 63n, l: [null, "t", { z: new Uint8Array(0) }] },
    gone: null,
  };

  it("goes by the type: 1 is a float in a float field", async () => {
    const json = await canonicalOfSample(Everything, sample);
    expect(json).toMatchObject({
      n: { $int: "1" },
      big: { $int: "2" },
      x: { $float: "3ff0000000000000", repr: "1.0" },
      array: { $ndarray: { dtype: ">f4", shape: [1], data: "P4AAAA==" } },
      loose: {
        $map: [
          ["f", { $float: "3ff8000000000000", repr: "1.5" }],
          ["i", { $int: "3" }],
          expect.anything(),
          expect.anything(),
        ],
      },
      gone: null,
    });
    const back = sampleFromCanonical(Everything, JSON.parse(JSON.stringify(json)));
    expect(await canonicalOfSample(Everything, back)).toEqual(json);
    expect(back.list).toEqual([[1, NaN]]);
    expect(back.array.byteOrder).toBe(">");
  });

  it("takes plain JSON numbers", () => {
    const Plain = defineSample("Plain", { n: field.int(), b: field.int("bigint"), x: field.float(), d: field.dict() });
    const json = { n: 1, b: 2, x: 3, d: { $map: [["k", 4]] } };
    expect(sampleFromCanonical(Plain, json)).toEqual({ n: 1, b: 2n, x: 3, d: { k: 4 } });
    expect(sampleFromCanonical(Plain, { ...json, x: { $int: "3" } }).x).toBe(3);
  });

  it("says what is wrong, and where", () => {
    const One = defineSample("One", { n: field.int(), list: field.optional(field.list(field.bytes())) });
    const wrong = (json: unknown, code: string, message: string) =>
      expect(() => sampleFromCanonical(One, json)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(message) }),
      );
    wrong({ n: "one" }, "SCHEMA_MISMATCH", 'field "n" must be a whole number, but it is the text "one"');
    wrong({ n: 1.5 }, "SCHEMA_MISMATCH", 'field "n" must be a whole number');
    wrong({}, "SCHEMA_MISMATCH", 'field "n" is missing');
    wrong({ n: 1, m: 1 }, "SCHEMA_MISMATCH", 'unknown field "m"');
    wrong([], "SCHEMA_MISMATCH", "must be an object");
    wrong({ n: { $int: "9007199254740993" } }, "INT_UNSAFE", "9007199254740993 is no safe number");
    wrong({ n: { $int: "0x1" } }, "SAMPLE_CORRUPT", "$int must be decimal digits");
    wrong({ n: 1, list: [{ $bytes: "%%" }] }, "SAMPLE_CORRUPT", 'Cannot read "list[0]" from canonical JSON');
    wrong({ n: 1, list: [{ $bytes_sha256: "00", length: 1 }] }, "SAMPLE_CORRUPT", "only its digest");
    wrong({ n: 1, list: [{ a: 1 }] }, "SAMPLE_CORRUPT", "spells no value");
  });

  it("refuses arrays that lie about their shape", () => {
    const Arrays = defineSample("Arrays", { a: field.ndarray() });
    for (const $ndarray of [
      {},
      null,
      { dtype: "<f4", shape: [2], data: "AAAA" },
      { dtype: "|O", shape: [0], data: "" },
      { dtype: "<f4", shape: ["x"], data: "" },
    ]) {
      expect(() => sampleFromCanonical(Arrays, { a: { $ndarray } })).toThrow(
        /SAMPLE_CORRUPT|ARRAY_CORRUPT|Cannot read/,
      );
    }
  });
});

describe("large values", () => {
  it("are told by their digest", async () => {
    const bytes = new Uint8Array(65537).fill(7);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    expect(await canonicalOfMsgpack(encodeUntyped([bytes]))).toEqual([{ $bytes_sha256: hex, length: 65537 }]);
    const type = defineSample("Large", { a: field.ndarray() });
    const json = await canonicalOfSample(type, { a: new NdArray("uint8", [65537], bytes) });
    expect(json).toEqual({ a: { $ndarray: { dtype: "|u1", shape: [65537], data_sha256: hex, nbytes: 65537 } } });
  });
});

describe("msgpackFromCanonical()", () => {
  it("keeps integers and floats apart, and every bit of a NaN", () => {
    const nan = { $float: "7ff8000000000001", repr: "nan" };
    expect([...msgpackFromCanonical([{ $int: "1" }, nan])]).toEqual([0x92, 1, 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 1]);
    expect([...dictSampleFromCanonical({ a: { $float: "3ff0000000000000" } }).bytes].slice(0, 4)).toEqual([
      0x81, 0xa1, 0x61, 0xcb,
    ]);
  });

  it("ends on values that are nested too deep", () => {
    let json: unknown = null;
    for (let i = 0; i < 2000; i++) json = [json];
    expect(() => msgpackFromCanonical(json)).toThrow("nested more than");
    expect(() => msgpackFromCanonical({ $map: [[1, 2]] })).toThrow("$map must be a list of [text, value]");
  });
});
