import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrayHeader, decodeArray, encodeArray, encodedArraySize } from "../../src/codec/array.ts";
import { cursorOver, readValue } from "../../src/codec/msgpack.ts";
import { type DType, layoutOf } from "../../src/schema/dtype.ts";
import { NdArray } from "../../src/schema/ndarray.ts";
import {
  canonicalArray,
  corruptPayload,
  fromBase64,
  fromHex,
  type Json,
  payloads,
  readJson,
  toHex,
} from "./fixtures.ts";

const encoded = (array: NdArray): Uint8Array => {
  const bytes = new Uint8Array(encodedArraySize(array));
  expect(encodeArray(bytes, 0, array)).toBe(bytes.length);
  return bytes;
};
const arrayBytes = (payload: Uint8Array, field = "array"): Uint8Array =>
  (readValue(cursorOver(payload)) as Record<string, Uint8Array>)[field]!;
const canonical = (array: NdArray): Json => canonicalArray(array, layoutOf(array.dtype).unit);
const faults = (bytes: Uint8Array): string => {
  try {
    decodeArray(bytes);
  } catch (error) {
    expect(error).toMatchObject({ name: "PipelineError", code: "ARRAY_CORRUPT", hint: expect.any(String) });
    return (error as Error).message;
  }
  return expect.fail("was read");
};

describe("decodeArray() and encodeArray()", () => {
  const { shards } = readJson("ndarrays/expected.json");
  const bytes = payloads("ndarrays", shards[0]).map((payload) => arrayBytes(payload));

  it.each<[string, Json, Uint8Array]>(
    shards[0].typed.samples.map((sample: Json, i: number) => [sample.name, sample.array.$ndarray, bytes[i]]),
  )("reads %s as Python does, and writes the same bytes", (_name, expected: Json, given: Uint8Array) => {
    const array = decodeArray(given);
    if (expected.data === undefined) expect(array.shape).toEqual(expected.shape);
    else expect(canonical(array)).toEqual(expected);
    expect(encoded(array)).toEqual(given);
  });

  const legacy = readJson("ndarray_legacy_npy/expected.json").shards[0];
  const npy = payloads("ndarray_legacy_npy", legacy).map((payload) => arrayBytes(payload));
  it.each<[string, Json, Uint8Array]>(
    legacy.typed.samples.map((sample: Json, i: number) => [sample.name, sample.array.$ndarray, npy[i]]),
  )("reads %s from .npy bytes as Python does", (_name, expected: Json, given: Uint8Array) => {
    const array = decodeArray(given);
    if (expected.data === undefined) expect(array.shape).toEqual(expected.shape);
    else expect(canonical(array)).toEqual(expected);
  });

  it.each([
    [
      "033c66340202000000000000000200000000000000" + "0000803f000000400000404000008040",
      [
        [1, 2],
        [3, 4],
      ],
      "float32",
    ],
    ["033c6938010300000000000000" + "010000000000000002000000000000000300000000000000", [1n, 2n, 3n], "int64"],
    ["033c663800" + "000000000000f83f", 1.5, "float64"],
    ["037c6231010200000000000000" + "0100", [true, false], "bool"],
    ["037c7531010000000000000000", [], "uint8"],
    ["033e6634010100000000000000" + "3f800000", [1], "float32"],
    ["073c4d385b6e735d010100000000000000" + "000065011710a617", [1704067200000000000n], "datetime64[ns]"],
    ["033c5533010200000000000000" + "610000006200000000000000" + "78000000790000007a000000", ["ab", "xyz"], "U3"],
  ])("reads and writes %s", (hex, items, dtype) => {
    const array = decodeArray(fromHex(hex));
    expect([array.dtype, array.toNestedArray()]).toEqual([dtype, items]);
    expect(toHex(encoded(array))).toBe(hex);
  });

  it("gives a view only when asked, and only of items that lie aligned", () => {
    const array = new NdArray("float32", [2], new Float32Array([1, 2]));
    const size = encodedArraySize(array);
    const memory = new Uint8Array(32);
    for (let start = 0; start < 4; start++) {
      encodeArray(memory, start, array);
      const { data } = decodeArray(memory, start, start + size, { copy: false });
      const aligned = (start + size) % 4 === 0;
      expect([start, data.buffer === memory.buffer]).toEqual([start, aligned]);
      expect([...data]).toEqual([1, 2]);
      expect(decodeArray(memory, start, start + size).data.buffer).not.toBe(memory.buffer);
    }
  });

  it("never takes more memory than the items need when it copies", () => {
    const pool = new Uint8Array(1 << 16);
    const array = new NdArray("uint8", [3], new Uint8Array([1, 2, 3]));
    const end = encodeArray(pool, 100, array);
    expect(decodeArray(pool, 100, end).data.buffer.byteLength).toBe(3);
  });

  it("is the identity for any array (seeded)", () => {
    const dtypes: DType[] = [
      "bool",
      "int8",
      "uint16",
      "float16",
      "float32",
      "complex64",
      "int64",
      "complex128",
      "U2",
      "V3",
      "timedelta64[s]",
      "float128",
    ];
    const arrays = fc
      .tuple(
        fc.constantFrom(...dtypes),
        fc.array(fc.nat(4), { maxLength: 4 }),
        fc.boolean(),
        fc.infiniteStream(fc.nat(255)),
      )
      .map(([dtype, shape, big, noise]) => {
        const { unit } = layoutOf(dtype);
        const array = NdArray.empty(dtype, shape, unit === 1 ? "|" : big ? ">" : "<");
        const items = new Uint8Array(array.data.buffer);
        for (let i = 0; i < items.length; i++) items[i] = noise.next().value as number;
        return array as NdArray;
      });
    fc.assert(
      fc.property(arrays, fc.nat(7), (array, offset) => {
        const bytes = new Uint8Array(offset + encodedArraySize(array));
        const end = encodeArray(bytes, offset, array);
        const back = decodeArray(bytes, offset, end, { copy: false });
        expect(back.equals(array)).toBe(true);
        expect(back.byteOrder).toBe(array.byteOrder);
      }),
      { seed: 1 },
    );
  });
});

describe("broken arrays", () => {
  // Python reshapes around one negative axis, and takes structured dtypes: here both are faults.
  const lenient = ["dtype_alias", "dtype_native_order"];
  const { bytes_to_array: cases } = readJson("corrupt/expected.json");
  it.each<[string, Json]>(cases.map((entry: Json) => [entry.name, entry]))("%s", (name, { bytes, value }: Json) => {
    if (lenient.includes(name)) expect(canonical(decodeArray(fromBase64(bytes)))).toEqual(value.$ndarray);
    else expect(faults(fromBase64(bytes))).toMatch(/^Cannot read an? .+: .+[^.]$/);
  });

  const { cases: shards } = readJson("corrupt/expected.json");
  it.each<string>(shards.map(({ file }: Json) => file).filter((file: string) => file.startsWith("ndarray_")))(
    "in a sample: %s",
    (file) => {
      const bytes = arrayBytes(corruptPayload(file), "vec");
      if (lenient.some((name) => file.includes(name))) expect(decodeArray(bytes).shape).toEqual([2, 2]);
      else faults(bytes);
    },
  );

  it("says what the shape needs and what is there", () => {
    const { bytes } = cases.find(({ name }: Json) => name === "shape_too_big");
    expect(faults(fromBase64(bytes))).toBe(
      "Cannot read an array: its shape [3, 3] of float32 needs 36 bytes, and it has 16",
    );
  });

  const header = (dtype: string, ...shape: bigint[]): Uint8Array => {
    const bytes = new Uint8Array(2 + dtype.length + 8 * shape.length);
    bytes[0] = dtype.length;
    new TextEncoder().encodeInto(dtype, bytes.subarray(1));
    bytes[1 + dtype.length] = shape.length;
    for (const [i, length] of shape.entries())
      new DataView(bytes.buffer).setBigInt64(2 + dtype.length + 8 * i, length, true);
    return bytes;
  };

  it("refuses shapes that only multiply to what is there when the product wraps", () => {
    for (const shape of [
      [2n ** 32n, 2n ** 32n],
      [2n ** 63n - 1n, 2n],
      [0n, 2n ** 62n],
      [2n ** 52n, 2n ** 52n, 0n],
      [-1n],
      [-1n, 0n],
    ]) {
      expect(faults(header("<f4", ...shape))).toMatch(/axis|2\^53/);
    }
    expect(decodeArray(header("<f4", 0n, 5n)).shape).toEqual([0, 5]);
  });

  it("refuses dtypes that are none", () => {
    const all = [
      "",
      "f4",
      "<f4 ",
      "|f4",
      "<f3",
      "<U0",
      "|S",
      "O",
      "|O",
      "<M8[",
      "<M8[parsec]",
      "<float32",
      "float",
      ">=f4",
      "é",
      "f4,f4",
      "(2,)f4",
      "<U9999999999",
    ];
    for (const dtype of all) expect(faults(header(dtype, 0n))).toContain("dtype");
  });

  const npy = (text: string, version = [1, 0]): Uint8Array => {
    const head = [0x93, ...new TextEncoder().encode("NUMPY"), ...version, text.length & 255, text.length >> 8];
    return Uint8Array.from([...head, ...new TextEncoder().encode(text)]);
  };

  it("reads headers of .npy in any order of keys, and nothing that is not one", () => {
    const read = (text: string) => arrayHeader(npy(text), 0, npy(text).length);
    expect(read(`{"shape": (0, 3L), 'fortran_order': True, 'descr': '>i2'}`)).toMatchObject({
      dtype: "int16",
      byteOrder: ">",
      shape: [0, 3],
      fortranOrder: true,
    });
    const bad = [
      "",
      "{}",
      "{'descr': '<f4'}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (0)}",
      "{'descr': '<f4', 'fortran_order': 0, 'shape': (0,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), 'x': 'y'}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (0,)} + x",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740993,)}",
      "{'descr': '<f4' 'fortran_order': False, 'shape': (0,)}",
      `{'descr': '|O', 'fortran_order': False, 'shape': (0,)}`,
    ];
    for (const text of bad) faults(npy(text));
    expect(faults(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (0,)}"))).toContain("structures");
    faults(npy(`{${" ".repeat(20_000)}`));
    faults(npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (${"1,".repeat(65)})}`));
  });

  it("ends quickly for any bytes (seeded)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (noise, magic) => {
        const bytes = magic
          ? Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, ...noise])
          : Uint8Array.from([3, 0x3c, 0x66, 0x34, ...noise]);
        try {
          expect(decodeArray(bytes).data.byteLength).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ code: "ARRAY_CORRUPT" });
        }
      }),
      { seed: 2, numRuns: 2000 },
    );
  });
});
