import { afterEach, describe, expect, it, vi } from "vitest";
import { type DType, isDType, itemSize, numpySpelling, parseDtype } from "../../src/schema/dtype.ts";
import { halfOfNumber, numberOfHalf } from "../../src/schema/float16.ts";
import { NdArray } from "../../src/schema/ndarray.ts";

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe("parseDtype()", () => {
  it("reads numpy's spellings and plain names, and spells them again", () => {
    const table: [text: string, name: DType, spelling: string][] = [
      ["<f4", "float32", "<f4"],
      [">f4", "float32", ">f4"],
      ["=f4", "float32", "<f4"],
      ["float32", "float32", "<f4"],
      ["|u1", "uint8", "|u1"],
      ["<u1", "uint8", "|u1"],
      ["|b1", "bool", "|b1"],
      ["<c16", "complex128", "<c16"],
      ["<f16", "float128", "<f16"],
      ["<M8[ns]", "datetime64[ns]", "<M8[ns]"],
      [">m8[25s]", "timedelta64[25s]", ">m8[25s]"],
      ["<M8", "datetime64", "<M8"],
      ["<U3", "U3", "<U3"],
      [">U12", "U12", ">U12"],
      ["|S2", "S2", "|S2"],
      ["|V3", "V3", "|V3"],
      ["<V2", "V2", "|V2"],
      ["<c32", "complex256", "<c32"],
    ];
    for (const [text, dtype, spelling] of table) {
      const parsed = parseDtype(text);
      expect([text, parsed.dtype, numpySpelling(parsed.dtype, parsed.byteOrder)]).toEqual([text, dtype, spelling]);
      expect(isDType(dtype)).toBe(true);
    }
    expect(["bool", "U3", "S3", "datetime64[ns]", "float128"].map((dtype) => itemSize(dtype as DType))).toEqual([
      1, 12, 3, 8, 16,
    ]);
  });

  it("refuses all else", () => {
    for (const text of [
      "",
      "O",
      "|O",
      "f4",
      "|f4",
      "<f5",
      "<float32",
      "<U0",
      "<U",
      "<M8[]",
      "<M8[x]",
      "<f4,<i4",
      "constructor",
      "__proto__",
      "<__proto__",
    ]) {
      expect(() => parseDtype(text)).toThrow(expect.objectContaining({ code: "ARRAY_CORRUPT" }));
      expect(isDType(text)).toBe(false);
    }
  });
});

describe("NdArray", () => {
  it("checks that data and shape fit", () => {
    expect(() => new NdArray("float32", [2], new Float32Array(3))).toThrow("shape [2]: it has 2 items, and the data 3");
    expect(() => new NdArray("float32", [1], new Float64Array(1) as never)).toThrow(
      "must be Float32Array, not Float64Array",
    );
    expect(() => new NdArray("int8", [-1], new Int8Array(0))).toThrow(RangeError);
    expect(() => new NdArray("int8", [1.5], new Int8Array(0))).toThrow(RangeError);
    expect(() => new NdArray("int8", [0], new Int8Array(0), "<")).toThrow(TypeError);
    expect(() => new NdArray("int16", [0], new Int16Array(0), "|")).toThrow(TypeError);
    expect(() => new NdArray("object" as DType, [0], new Int8Array(0) as never)).toThrow("no such dtype");
    expect(new NdArray("complex64", [2], new Float32Array(4)).size).toBe(2);
  });

  it("gives items by indices, from either end", () => {
    const array = NdArray.from(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      "int32",
    );
    expect([array.at(0, 0), array.at(1, -1), array.at(-2, 1)]).toEqual([1, 6, 2]);
    for (const indices of [[2, 0], [0, -4], [0], [0, 0, 0], [0.5, 0], [NaN, 0]])
      expect(() => array.at(...indices)).toThrow(RangeError);
    expect(NdArray.from(7n, "uint64").at()).toBe(7n);
  });

  it("gives every dtype as the JavaScript value it is", () => {
    const complex = { re: 1, im: -2 };
    const bytes = Uint8Array.of(1, 2);
    const cases: [DType, unknown, unknown?][] = [
      ["bool", [true, false]],
      ["uint8", [0, 255]],
      ["int64", [-(2n ** 63n), 1n]],
      ["uint64", [2n ** 64n - 1n, 0n]],
      ["float16", [1.5, -Infinity, NaN, 2 ** -24, -0]],
      ["float32", [1.5]],
      ["complex64", [complex]],
      ["complex128", [complex, complex]],
      ["datetime64[s]", [1n, -(2n ** 63n)]],
      ["U3", ["aé", "🦀🦀🦀", ""]],
      ["S3", [bytes]],
      ["V3", [bytes], [Uint8Array.of(1, 2, 0)]],
    ];
    for (const [dtype, items, back = items] of cases) {
      const array = NdArray.from(items as never, dtype);
      expect([dtype, array.toNestedArray()]).toEqual([dtype, back]);
      expect([dtype, array.at(0)]).toEqual([dtype, (back as unknown[])[0]]);
    }
  });

  it("refuses items that do not fit", () => {
    const wrong: [DType, unknown][] = [
      ["uint8", 256],
      ["uint8", -1],
      ["int64", 2n ** 63n],
      ["U1", "ab"],
      ["S1", Uint8Array.of(1, 2)],
    ];
    for (const [dtype, item] of wrong) expect(() => NdArray.from([item] as never, dtype)).toThrow(RangeError);
    const alien: [DType, unknown][] = [
      ["uint8", 1.5],
      ["int64", "1"],
      ["float32", 1n],
      ["bool", 1],
      ["complex64", "i"],
      ["complex64", null],
      ["U1", 1],
      ["V1", "a"],
    ];
    for (const [dtype, item] of alien) expect(() => NdArray.from([item] as never, dtype)).toThrow(TypeError);
    for (const ragged of [
      [[1], [1, 2]],
      [[1], 1],
      [1, [1]],
    ])
      expect(() => NdArray.from(ragged as never, "int8")).toThrow(/RangeError|Cannot make/);
  });

  it("makes views with row() and reshape()", () => {
    const array = NdArray.from(range(12), "uint8").reshape(3, -1);
    expect(array.shape).toEqual([3, 4]);
    array.row(1).data[0] = 99;
    expect(array.at(1, 0)).toBe(99);
    expect(array.row(-1).toNestedArray()).toEqual([8, 9, 10, 11]);
    expect(() => array.row(3)).toThrow(RangeError);
    expect(() => array.reshape(5, -1)).toThrow(RangeError);
    expect(() => array.reshape(-1, -1)).toThrow(RangeError);
    expect(() => array.reshape(11)).toThrow(RangeError);
    expect(array.reshape(2, 3, 2).toNestedArray()).toEqual([
      [
        [0, 1],
        [2, 3],
        [99, 5],
      ],
      [
        [6, 7],
        [8, 9],
        [10, 11],
      ],
    ]);
    expect(NdArray.empty("float32", [0, 3]).reshape(3, -1).shape).toEqual([3, 0]);
    const texts = NdArray.from(
      [
        ["ab", "c"],
        ["d", "ef"],
      ],
      "U2",
    );
    expect(texts.row(1).toNestedArray()).toEqual(["d", "ef"]);
    expect(
      NdArray.from([[{ re: 1, im: 2 }], [{ re: 3, im: 4 }]], "complex128")
        .row(1)
        .at(0),
    ).toEqual({ re: 3, im: 4 });
  });

  it("has a length only where it has an axis", () => {
    expect(NdArray.from([[1], [2]], "int8").length).toBe(2);
    expect(() => NdArray.from(1, "int8").length).toThrow(TypeError);
    expect(() => NdArray.from(1, "int8").row(0)).toThrow(TypeError);
  });

  it("stacks arrays of one dtype and shape", () => {
    const stacked = NdArray.stack([NdArray.from([1, 2], "int16"), NdArray.from([3, 4], "int16")]);
    expect([stacked.shape, stacked.toNestedArray()]).toEqual([
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    const unequal = () => NdArray.stack([NdArray.from([1, 2], "int16"), NdArray.from([3], "int16")]);
    expect(unequal).toThrow(
      expect.objectContaining({
        code: "RAGGED",
        message: "Cannot stack arrays: array 0 is int16 [2], array 1 is int16 [1]",
      }),
    );
    expect(() => NdArray.stack<DType>([NdArray.from([1], "int16"), NdArray.from([1], "int8")])).toThrow("int8 [1]");
    expect(() => NdArray.stack([])).toThrow(TypeError);
  });

  it("is equal by bits", () => {
    const nan = (): NdArray => NdArray.from([NaN, -0], "float64");
    expect(nan().equals(nan())).toBe(true);
    expect(nan().equals(NdArray.from([NaN, 0], "float64"))).toBe(false);
    expect(nan().equals(nan().reshape(2, 1))).toBe(false);
    expect(NdArray.from([1], "int8").equals(NdArray.from([1], "uint8"))).toBe(false);
  });
});

describe("float16", () => {
  it("is the same by hand as in the runtime's Float16Array, where there is one", () => {
    if (typeof Float16Array === "undefined") return;
    const bits = Uint16Array.from(range(65536));
    const halves = new Float16Array(bits.buffer);
    for (let i = 0; i < 65536; i++) {
      if (!Object.is(numberOfHalf(i), halves[i])) expect.fail(`0x${i.toString(16)}`);
      if (!Number.isNaN(halves[i]) && halfOfNumber(halves[i]!) !== i) expect.fail(`back to 0x${i.toString(16)}`);
    }
    const one = new Float16Array(1);
    const oneBits = new Uint16Array(one.buffer);
    let state = 7;
    for (let i = 0; i < 20_000; i++) {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      const value = (state / 2 ** 30 - 1) * 2 ** ((state % 45) - 28);
      for (const near of [value, Math.fround(value), one[0]! + 2 ** -25, one[0]! * (1 + 2 ** -11)]) {
        one[0] = near;
        if (halfOfNumber(near) !== oneBits[0]) expect.fail(`${near}`);
      }
    }
    expect([65519, 65520, 1e10, -65520, 2 ** -25, 2 ** -25 * 1.0001].map(halfOfNumber)).toEqual([
      0x7bff, 0x7c00, 0x7c00, 0xfc00, 0, 1,
    ]);
  });

  afterEach(() => vi.unstubAllGlobals());

  it("reads and prints the same where there is no Float16Array", async () => {
    vi.stubGlobal("Float16Array", undefined);
    vi.resetModules();
    const { NdArray: Without } = await import("../../src/schema/ndarray.ts");
    const array = Without.from(
      [
        [1.5, -0],
        [NaN, 2 ** -24],
      ],
      "float16",
    );
    expect(array.data).toBeInstanceOf(Uint16Array);
    expect(array.toNestedArray()).toEqual([
      [1.5, -0],
      [NaN, 2 ** -24],
    ]);
    expect(array.at(0, 0)).toBe(1.5);
    expect(String(array)).toBe(
      String(
        NdArray.from(
          [
            [1.5, -0],
            [NaN, 2 ** -24],
          ],
          "float16",
        ),
      ),
    );
  });
});
