import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalOfMsgpack } from "../../src/codec/canonical.ts";
import { msgpackFromCanonical } from "../../src/codec/from-canonical.ts";
import { cursorOver, readValue, skipValue, viewOf } from "../../src/codec/msgpack.ts";
import { encodeUntyped, valueSize, writeValue } from "../../src/codec/msgpack-write.ts";
import type { Untyped } from "../../src/schema/field.ts";
import { fromHex, type Json, readJson, toHex } from "./fixtures.ts";

const read = (hex: string): Untyped => readValue(cursorOver(fromHex(hex)));
const skip = (bytes: Uint8Array, checkText = false): number =>
  skipValue(bytes, viewOf(bytes), 0, bytes.length, checkText);
const fault = (bytes: Uint8Array): string => {
  try {
    readValue(cursorOver(bytes));
  } catch (error) {
    expect(error).toMatchObject({ code: "SAMPLE_CORRUPT", facts: { offset: expect.any(Number) } });
    return (error as Error).message;
  }
  return expect.fail("was read");
};

const { pack, unpack } = readJson("vectors/msgpack.json");

describe("Python's vectors", () => {
  it("has the same bytes for every value, and back", async () => {
    for (const { value, hex } of pack) {
      expect([hex, toHex(msgpackFromCanonical(value))]).toEqual([hex, hex]);
      expect(await canonicalOfMsgpack(fromHex(hex))).toEqual(value);
      const bytes = fromHex(hex);
      expect(skip(bytes, true)).toBe(bytes.length);
      // Only a float without a fraction does not come back: JavaScript has no other number for it.
      const again = toHex(encodeUntyped(read(hex)));
      if (!/\.0"|e\+/.test(JSON.stringify(value))) expect(again).toBe(hex);
    }
  });

  it.each<[string, Json]>(unpack.map((entry: Json) => [entry.hex, entry]))(
    "reads %s as ormsgpack does",
    async (hex, { result, error }) => {
      if (error !== undefined) fault(fromHex(hex));
      else expect(await canonicalOfMsgpack(fromHex(hex))).toEqual(result);
      if (error !== undefined) expect(skip(fromHex(hex), true)).toBe(-1);
    },
  );
});

describe("readValue()", () => {
  it("gives numbers where they are safe, and bigints beyond", () => {
    expect(
      ["7f", "e0", "ccff", "cdffff", "ceffffffff", "cf001fffffffffffff", "d0df", "d1ff7f", "d3ffe0000000000001"].map(
        read,
      ),
    ).toEqual([127, -32, 255, 65535, 4294967295, Number.MAX_SAFE_INTEGER, -33, -129, Number.MIN_SAFE_INTEGER]);
    expect([read("cf0020000000000000"), read("d38000000000000000"), read("cfffffffffffffffff")]).toEqual([
      2n ** 53n,
      -(2n ** 63n),
      2n ** 64n - 1n,
    ]);
  });

  it("keeps -0, NaN and a leading U+FEFF", () => {
    expect(read("cb8000000000000000")).toBe(-0);
    expect(read("ca7fc00000")).toBeNaN();
    expect(read("a4efbbbf61")).toBe("\uFEFFa");
  });

  it("keeps the last value of a repeated key, and takes __proto__ for a key like any other", () => {
    expect(read("82a16101a16102")).toEqual({ a: 2 });
    const map = readValue(cursorOver(encode(JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}')))) as Record<
      string,
      Untyped
    >;
    expect(Object.keys(map)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it("copies bytes", () => {
    const bytes = fromHex("c4020102");
    const value = readValue(cursorOver(bytes)) as Uint8Array;
    bytes.fill(0);
    expect([...value]).toEqual([1, 2]);
  });

  it.each([
    ["", "ends before its last value (byte 0)"],
    ["c1", "byte 0xc1, which msgpack never uses (byte 0)"],
    ["92c0d40500", "byte 0xd4, an extension type, which samples do not hold (byte 2)"],
    ["810102", "a key of a map is of kind int, not text (byte 1)"],
    ["a1ff", "a text is not UTF-8 (byte 1)"],
    ["a3eda080", "a text is not UTF-8 (byte 1)"],
    ["a2c080", "a text is not UTF-8 (byte 1)"],
    ["c6ffffffff", "a value needs 4294967295 bytes, and 0 are there (byte 5)"],
    ["c5ff", "a value needs 3 bytes, and 2 are there (byte 0)"],
    ["cb00", "a value needs 9 bytes, and 2 are there (byte 0)"],
    ["ddffffffff", "ends before its last value (byte 5)"],
    ["dfffffffff", "ends before its last value (byte 5)"],
    ["92c0", "ends before its last value (byte 2)"],
  ])("names what is wrong with %s", (hex, message) => {
    expect(fault(fromHex(hex))).toContain(message);
    expect(skip(fromHex(hex), true)).toBe(-1);
  });

  it("reads as deep as Python, and no deeper", () => {
    const nested = (depth: number): Uint8Array => new Uint8Array(depth + 1).fill(0x91, 0, depth).fill(0xc0, depth);
    expect(skip(nested(1022))).toBe(1023);
    readValue(cursorOver(nested(1022)));
    for (const depth of [1023, 100_000]) {
      expect(fault(nested(depth))).toContain("more than 1022 deep");
      expect(skip(nested(depth))).toBe(-1);
    }
  });

  it("takes no memory for counts that lie, nested or not", () => {
    const levels = Array.from({ length: 1000 }, () => [0xdd, 0xff, 0xff, 0xff, 0xff]).flat();
    const before = performance.now();
    fault(Uint8Array.from(levels));
    fault(Uint8Array.from(levels.map((byte) => (byte === 0xdd ? 0xdf : byte))));
    expect(skip(Uint8Array.from(levels))).toBe(-1);
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it("agrees with @msgpack/msgpack on any bytes (seeded)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let value: Untyped | undefined;
        try {
          value = readValue(cursorOver(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: "SAMPLE_CORRUPT" });
          expect(skip(bytes, true)).toBe(-1);
          return;
        }
        const length = skip(bytes, true);
        expect(length).toBeGreaterThan(0);
        expect(plain(value)).toEqual(plain(decode(bytes.slice(0, length), { useBigInt64: true }) as Untyped));
      }),
      { seed: 3, numRuns: 5000 },
    );
  });
});

/** Numbers and bigints of equal value as one. */
function plain(value: Untyped): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const untyped: fc.Arbitrary<Untyped> = fc.letrec<{ value: Untyped }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Untyped>(null, true, false, 0, -0, "", 2 ** 53, -(2 ** 53)),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(fc.string({ unit: "grapheme" }), tie("value"), { maxKeys: 20 }),
  ),
})).value;

describe("encodeUntyped()", () => {
  it("is read back by us and by @msgpack/msgpack (seeded)", () => {
    fc.assert(
      fc.property(untyped, (value) => {
        const bytes = encodeUntyped(value);
        expect(bytes.length).toBe(valueSize(value));
        expect(plain(readValue(cursorOver(bytes)))).toEqual(plain(value));
        expect(plain(decode(bytes, { useBigInt64: true }) as Untyped)).toEqual(plain(value));
        expect(skip(bytes, true)).toBe(bytes.length);
      }),
      { seed: 4, numRuns: 1000 },
    );
  });

  it("writes at any place of a larger buffer", () => {
    const into = new Uint8Array(20);
    expect(writeValue(into, viewOf(into), 5, { a: [1, 1.5] })).toBe(5 + valueSize({ a: [1, 1.5] }));
    expect(readValue(cursorOver(into, 5))).toEqual({ a: [1, 1.5] });
  });

  it("changes form at each length", () => {
    const heads = [
      ["x".repeat(31), "bf"],
      ["x".repeat(32), "d920"],
      ["x".repeat(255), "d9ff"],
      ["é".repeat(128), "da0100"],
      ["x".repeat(65536), "db00010000"],
      [new Uint8Array(255), "c4ff"],
      [new Uint8Array(256), "c50100"],
      [new Uint8Array(65536), "c600010000"],
      [new Array(15).fill(0), "9f"],
      [new Array(16).fill(0), "dc0010"],
      [new Array(65536).fill(0), "dd00010000"],
    ] as const;
    for (const [value, head] of heads)
      expect(toHex(encodeUntyped(value as Untyped).subarray(0, head.length / 2))).toBe(head);
    const map = Object.fromEntries(Array.from({ length: 65536 }, (_, i) => [`k${i}`, null]));
    expect(toHex(encodeUntyped(map).subarray(0, 5))).toBe("df00010000");
  });

  it("writes whole numbers as integers, and -0 and numbers past 2^53 as floats", () => {
    expect([1, -0, 2 ** 53, 1e300].map((value) => toHex(encodeUntyped(value)).slice(0, 2))).toEqual([
      "01",
      "cb",
      "cb",
      "cb",
    ]);
  });

  it("refuses what msgpack has not", () => {
    for (const value of [
      undefined,
      () => 1,
      Symbol("x"),
      new Date(),
      new Map(),
      new Float32Array(1),
      { a: undefined },
      "\ud800",
      { "\udc00": 1 },
    ]) {
      expect(() => encodeUntyped(value as never)).toThrow(TypeError);
    }
    const loop: Untyped[] = [];
    loop.push(loop);
    for (const value of [2n ** 64n, -(2n ** 63n) - 1n, loop]) expect(() => encodeUntyped(value)).toThrow(RangeError);
  });
});
