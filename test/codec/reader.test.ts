import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeUntyped } from "../../src/codec/msgpack-write.ts";
import { SampleReader } from "../../src/codec/reader.ts";
import { SampleWriter } from "../../src/codec/writer.ts";
import { defineSample, type Field, field, NdArray, SampleType } from "../../src/index.ts";
import type { NamedField } from "../../src/schema/sample.ts";
import { soakRuns } from "../soak.ts";

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Samples one behind another, as in a window, with other bytes around them. */
function pack(samples: readonly Uint8Array[]): { bytes: Uint8Array; starts: Int32Array; ends: Int32Array } {
  const bytes = new Uint8Array(samples.reduce((sum, sample) => sum + sample.length + 3, 5)).fill(0xc1);
  const starts = new Int32Array(samples.length);
  const ends = new Int32Array(samples.length);
  let at = 5;
  samples.forEach((sample, i) => {
    bytes.set(sample, at);
    [starts[i], ends[i]] = [at, at + sample.length];
    at += sample.length + 3;
  });
  return { bytes, starts, ends };
}

/** What the reader gives by each of its ways: rows and columns, compiled and not. */
function readAllWays<T>(type: SampleType<T>, samples: readonly Uint8Array[], options = {}): T[][] {
  const { bytes, starts, ends } = pack(samples);
  return [true, false].flatMap((compiled) => {
    const reader = new SampleReader<T>(type, { ...options, compiled });
    const rows: T[] = [];
    reader.readRows({ bytes, view: viewOf(bytes) }, starts, ends, 0, samples.length, rows);
    const columns = reader.makeColumns(samples.length);
    reader.readColumns({ bytes, view: viewOf(bytes) }, starts, ends, 0, samples.length, columns);
    return [rows, Array.from({ length: columns.length }, (_, row) => columns.row(row) as T)];
  });
}

const Everything = defineSample("Everything", {
  text: field.string(),
  int: field.int(),
  big: field.int("bigint"),
  auto: field.int("auto"),
  float: field.float(),
  flag: field.bool(),
  blob: field.bytes(),
  array: field.ndarray(),
  words: field.list(field.string()),
  grid: field.list(field.list(field.float())),
  any: field.dict(),
  counts: field.dict(field.int()),
  maybe: field.optional(field.string()),
  maybeArray: field.optional(field.ndarray("float32")),
});

const INTS = [
  0,
  1,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 32 - 1,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  -1,
  -32,
  -33,
  -128,
  -129,
  -32768,
  -32769,
  -(2 ** 31),
  -(2 ** 31) - 1,
  -Number.MAX_SAFE_INTEGER,
];
const BIGS = [...INTS.map(BigInt), 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n), 9007199254740993n];
const int = fc.constantFrom(...INTS);
const big = fc.constantFrom(...BIGS);
const auto = big.map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n));
const float = fc.oneof(fc.double(), fc.constantFrom(NaN, -0, Infinity, -Infinity, 1, 5e-324));
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ minLength: 28, maxLength: 300 }),
  fc.constantFrom("", "\ufeffx", "a\0b", "é".repeat(16)),
);
const array = fc.constantFrom(
  NdArray.from(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    "float32",
  ),
  NdArray.from(
    [
      [1, 2, 3],
      [4, 5, 7],
    ],
    "float32",
  ),
  new NdArray("int64", [2], BigInt64Array.of(1n, -2n)),
  NdArray.from([], "uint8"),
  new NdArray("int16", [2], Int16Array.of(1, -2), ">"),
);
const everything = fc.record({
  text,
  int,
  big,
  auto,
  float,
  flag: fc.boolean(),
  blob: fc.uint8Array({ maxLength: 300 }),
  array: array as fc.Arbitrary<NdArray>,
  words: fc.array(text, { maxLength: 20 }),
  grid: fc.array(fc.array(float, { maxLength: 3 }), { maxLength: 3 }),
  any: fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    fc.oneof(int, text, fc.boolean(), fc.constant(null)),
    { noNullPrototype: true },
  ),
  counts: fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    int,
    { noNullPrototype: true },
  ),
  maybe: fc.option(text),
  maybeArray: fc.option(fc.constant(NdArray.from([1.5], "float32"))),
});

describe("SampleWriter and SampleReader", () => {
  it("give back any sample, by all ways of reading", () => {
    const writer = new SampleWriter(Everything);
    fc.assert(
      fc.property(fc.array(everything, { minLength: 1, maxLength: 6 }), (samples) => {
        const encoded = samples.map((sample) => writer.encode(sample));
        for (const read of readAllWays(Everything as never, encoded)) expect(read).toEqual(samples);
      }),
      { seed: 7, numRuns: soakRuns(300) },
    );
  });

  it("write the bytes of the contract's example", () => {
    const Worked = defineSample("Worked", {
      name: field.string(),
      n: field.int(),
      x: field.float(),
      ok: field.bool(),
      raw: field.bytes(),
      arr: field.ndarray(),
      tags: field.list(field.string()),
      opt: field.optional(field.string()),
      oarr: field.optional(field.ndarray()),
    });
    const sample = {
      name: "hé",
      n: -1,
      x: 1.5,
      ok: true,
      raw: Uint8Array.of(0, 255),
      arr: NdArray.from(
        [
          [1, 2],
          [3, 4],
        ],
        "float32",
      ),
      tags: ["a", "b"],
    };
    const hex =
      "89a46e616d65a368c3a9a16effa178cb3ff8000000000000a26f6bc3a3726177c40200ffa3617272c425033c663402020000000000000002000000" +
      "000000000000803f000000400000404000008040a47461677392a161a162a36f7074c0a46f617272c0";
    const bytes = new SampleWriter(Worked).encode(sample);
    expect(Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")).toBe(hex);
    for (const [read] of readAllWays(Worked as never, [bytes]))
      expect(read).toEqual({ ...sample, opt: null, oarr: null });
  });

  it("read fields in any order, and leave out those that nobody wants", () => {
    const Pair = defineSample("Pair", { a: field.int(), b: field.string(), c: field.list(field.float()) });
    const turned = encodeUntyped({ c: [0.5], b: "x", a: 1 });
    const straight = encodeUntyped({ a: 2, b: "y", c: [1.5] });
    for (const read of readAllWays(Pair, [straight, turned, straight])) {
      expect(read).toEqual([
        { a: 2, b: "y", c: [1.5] },
        { a: 1, b: "x", c: [0.5] },
        { a: 2, b: "y", c: [1.5] },
      ]);
    }
    for (const read of readAllWays(Pair, [straight, turned], { fields: ["b"] }))
      expect(read).toEqual([{ b: "y" }, { b: "x" }]);
  });

  it("take hostile field names for names", () => {
    const names = [
      "__proto__",
      "constructor",
      "toString",
      'a"]; throw 1; //',
      "`",
      "\u2028",
      "\\",
      "'",
      "\0",
      "$" + "{x}",
      "*/",
    ];
    const fields: NamedField[] = names.map((name) => ({ name, spec: field.int().spec, optional: false }));
    const Hostile = new SampleType<Record<string, number>>("Hostile", fields);
    const sample = Object.fromEntries(names.map((name, i) => [name, i]));
    const bytes = new SampleWriter(Hostile).encode(sample);
    for (const [read] of readAllWays(Hostile, [bytes])) {
      expect(Object.entries(read!)).toEqual(Object.entries(sample));
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    }
  });

  it("have room for types of many fields and long names", () => {
    const fields = Object.fromEntries(
      Array.from({ length: 40 }, (_, i): [string, Field<number, false>] => [
        `field-${i}-${"x".repeat(i)}`,
        field.int(),
      ]),
    );
    const Wide = defineSample("Wide", fields);
    const sample = Object.fromEntries(Object.keys(fields).map((name, i) => [name, i]));
    for (const [read] of readAllWays(Wide as never, [new SampleWriter(Wide).encode(sample as never)]))
      expect(read).toEqual(sample);
  });

  it("read whole numbers and 32-bit floats in float fields, as Python writes what it is given", () => {
    const Score = defineSample("Score", { score: field.float() });
    const float32 = Uint8Array.of(0x81, 0xa5, 0x73, 0x63, 0x6f, 0x72, 0x65, 0xca, 0x3f, 0xc0, 0, 0);
    for (const read of readAllWays(Score, [encodeUntyped({ score: 3 }), float32]))
      expect(read).toEqual([{ score: 3 }, { score: 1.5 }]);
  });

  it("ignore bytes behind the map, as Python does", () => {
    const One = defineSample("One", { a: field.int() });
    const trailing = Uint8Array.of(...encodeUntyped({ a: 5 }), 0xc1, 0xff);
    for (const read of readAllWays(One, [trailing])) expect(read).toEqual([{ a: 5 }]);
  });
});

describe("SampleReader", () => {
  const Strict = defineSample("Strict", { name: field.string(), n: field.int(), vec: field.ndarray("float32", [2]) });
  const good = { name: "a", n: 1, vec: NdArray.from([1, 2], "float32") };
  const writer = new SampleWriter(Strict);
  const fails = (bytes: Uint8Array, options = {}): unknown[] =>
    [true, false].map((compiled) => {
      try {
        return new SampleReader(Strict, { ...options, compiled }).read(bytes);
      } catch (error) {
        return error;
      }
    });

  it.each([
    ["a missing field", { name: "a", vec: null }, "SCHEMA_MISMATCH", 'field "vec" must be an array, but it is null'],
    ["an absent field", { name: "a", n: 1 }, "SCHEMA_MISMATCH", 'field "vec" is missing'],
    [
      "an unknown field",
      { name: "a", n: 1, more: 2 },
      "SCHEMA_MISMATCH",
      'holds a field "more", and Strict has name, n, vec',
    ],
    ["a wrong kind", { name: 3 }, "SCHEMA_MISMATCH", 'field "name" must be text, but the shard holds a whole number'],
    [
      "a float in an int field",
      { n: 1.5 },
      "SCHEMA_MISMATCH",
      'field "n" must be a whole number, but the shard holds a float',
    ],
    [
      "a number beyond 2^53",
      { n: 2n ** 60n },
      "INT_UNSAFE",
      'Cannot give field "n" as a number: 1152921504606846976 is beyond 2^53',
    ],
    ["no array", { vec: Uint8Array.of(1, 2, 3) }, "ARRAY_CORRUPT", '(field "vec")'],
  ])("explains %s", (_, value, code, message) => {
    for (const error of fails(encodeUntyped(value as never))) {
      expect(error).toMatchObject({ code, message: expect.stringContaining(message), hint: expect.any(String) });
    }
  });

  it("checks declared dtypes and shapes", () => {
    for (const vec of [NdArray.from([1, 2, 3], "float32"), NdArray.from([1, 2], "float64")]) {
      const Loose = defineSample("Loose", { name: field.string(), n: field.int(), vec: field.ndarray() });
      const bytes = new SampleWriter(Loose).encode({ ...good, vec });
      for (const error of fails(bytes))
        expect(error).toMatchObject({
          code: "SCHEMA_MISMATCH",
          message: expect.stringContaining("must be float32 [2]"),
        });
    }
  });

  it("passes over unknown fields when asked to", () => {
    const bytes = encodeUntyped({ extra: [1, { deep: [2] }], n: 1, name: "a" });
    const Small = defineSample("Small", { name: field.string(), n: field.int() });
    for (const compiled of [true, false]) {
      expect(new SampleReader(Small, { unknownFields: "ignore", compiled }).read(bytes)).toEqual({ name: "a", n: 1 });
    }
  });

  it("never takes a cut sample for a whole one, nor reads beyond it", () => {
    const bytes = writer.encode(good);
    for (let end = 0; end < bytes.length; end++) {
      for (const compiled of [true, false]) {
        const reader = new SampleReader(Strict, { compiled });
        const starts = Int32Array.of(0);
        const ends = Int32Array.of(end);
        const read = () => reader.readRows({ bytes, view: viewOf(bytes) }, starts, ends, 0, 1, []);
        expect(read, `${end} of ${bytes.length} bytes`).toThrow(/Cannot/);
      }
    }
  });

  it("fails or reads, and neither hangs nor allocates, whatever bytes are changed", () => {
    const bytes = new SampleWriter(Everything).encode({
      text: "abc",
      int: 5,
      big: 6n,
      auto: 7,
      float: 1.5,
      flag: true,
      blob: new Uint8Array(4),
      array: NdArray.from([1], "float32"),
      words: ["x"],
      grid: [[1]],
      any: { a: 1 },
      counts: { b: 2 },
      maybe: "m",
      maybeArray: null,
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const changed = bytes.slice();
          for (const [at, byte] of changes) changed[at] = byte;
          const results = [true, false].map((compiled) => {
            try {
              return new SampleReader(Everything as never, { compiled }).read(changed);
            } catch (error) {
              return (error as { code?: string }).code ?? error;
            }
          });
          expect(results[0]).toEqual(results[1]);
        },
      ),
      { seed: 11, numRuns: soakRuns(3000) },
    );
  });

  it("leaves the samples before a failing one in place", () => {
    const { bytes, starts, ends } = pack([
      writer.encode(good),
      writer.encode(good),
      Uint8Array.of(0xc1),
      writer.encode(good),
    ]);
    for (const compiled of [true, false]) {
      const reader = new SampleReader(Strict, { compiled });
      const rows: unknown[] = [];
      expect(() => reader.readRows({ bytes, view: viewOf(bytes) }, starts, ends, 0, 4, rows as never)).toThrow("0xc1");
      expect(rows).toHaveLength(2);
      const columns = reader.makeColumns(4);
      expect(() => reader.readColumns({ bytes, view: viewOf(bytes) }, starts, ends, 0, 4, columns)).toThrow("0xc1");
      expect(columns.length).toBe(2);
    }
  });
});

describe("SampleWriter", () => {
  const Strict = defineSample("Strict", { name: field.string(), n: field.int(), tags: field.list(field.string()) });
  const writer = new SampleWriter(Strict);

  it.each([
    ["a missing field", { name: "a", n: 1 }],
    ["an unknown field", { name: "a", n: 1, tags: [], more: 1 }],
    ["a wrong kind", { name: 1, n: 1, tags: [] }],
    ["a fraction in an int field", { name: "a", n: 0.5, tags: [] }],
    ["an unsafe number", { name: "a", n: 2 ** 60, tags: [] }, "INT_UNSAFE"],
    ["a large bigint in a field of numbers", { name: "a", n: 2n ** 60n, tags: [] }, "INT_UNSAFE"],
    ["a small one", { name: "a", n: 5n, tags: [] }],
    ["half a surrogate pair", { name: "\ud800", n: 1, tags: [] }],
    ["a wrong item", { name: "a", n: 1, tags: ["x", 2] }],
    ["no object", 5],
    ["null", null],
  ] as readonly (readonly [string, unknown, string?])[])("refuses %s", (_, sample, code = "SCHEMA_MISMATCH") => {
    expect(() => writer.encode(sample)).toThrow(expect.objectContaining({ code }));
  });
});
