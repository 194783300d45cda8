import { describe, expect, it } from "vitest";
import { encodeArray, encodedArraySize } from "../../src/codec/array.ts";
import { canonicalOfMsgpack } from "../../src/codec/canonical.ts";
import { encodeUntyped } from "../../src/codec/msgpack-write.ts";
import { decodePart } from "../../src/codec/parts.ts";
import { unzip } from "../../src/codec/zip.ts";
import { layoutOf } from "../../src/schema/dtype.ts";
import type { Untyped } from "../../src/schema/field.ts";
import { NdArray } from "../../src/schema/ndarray.ts";
import { canonicalArray, fromBase64, type Json, readJson } from "./fixtures.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const { shards, decoded } = readJson("webdataset_classic/expected.json");

async function canonical(value: unknown): Promise<Json> {
  if (value instanceof NdArray) return { $ndarray: canonicalArray(value, layoutOf(value.dtype).unit) };
  const isRecord = Object.prototype.toString.call(value) === "[object Object]";
  if (isRecord && Object.values(value as object).every((item) => item instanceof NdArray)) {
    return {
      $map: await Promise.all(Object.entries(value as object).map(async ([key, item]) => [key, await canonical(item)])),
    };
  }
  return canonicalOfMsgpack(encodeUntyped(value as Untyped));
}

const samples: Json[] = shards[0].webdataset.samples;
const packed: Map<string, Json> = new Map(shards[0].payloads.map((entry: Json) => [entry.key, entry]));

describe("decodePart()", () => {
  it("decodes every part as webdataset does", async () => {
    let parts = 0;
    for (const [index, { key, fields }] of samples.entries()) {
      for (const [name, value] of Object.entries<Json>(fields)) {
        const given = fromBase64(value.$bytes ?? packed.get(key).base64);
        expect([name, await canonical(await decodePart(name, given))]).toEqual([name, decoded[index][name]]);
        parts++;
      }
    }
    expect(parts).toBeGreaterThan(35);
  });

  it("goes by what stands behind the last dot, in any case", () => {
    expect(decodePart("v2.part.CLS", bytes(" -1_000\n"))).toBe(-1000);
    expect(decodePart("png", bytes("x"))).toEqual(bytes("x"));
    expect(decodePart("", bytes("x"))).toEqual(bytes("x"));
  });

  it("leaves code and atdata's own msgpack as bytes", () => {
    for (const extension of ["pyd", "pickle", "pth", "msgpack", "jpg", "__proto__"])
      expect(decodePart(extension, bytes("1"))).toEqual(bytes("1"));
  });

  it("loses no digit of a whole number", () => {
    expect(decodePart("id", bytes("9007199254740993"))).toBe(9007199254740993n);
    expect(decodePart("id", bytes("+12"))).toBe(12);
    expect(decodePart("json", bytes('{"a": [9007199254740993, -9007199254740993, 0.1234567890123456789, 1]}'))).toEqual(
      {
        a: [9007199254740993n, -9007199254740993n, 0.12345678901234568, 1],
      },
    );
    expect(Object.keys(decodePart("json", bytes('{"__proto__": 1}')) as object)).toEqual(["__proto__"]);
  });

  it("names the part that is not what its extension says", async () => {
    const wrong = expect.objectContaining({ code: "SAMPLE_CORRUPT" });
    for (const [extension, text] of [
      ["cls", "cat"],
      ["cls", ""],
      ["id", "1.0"],
      ["json", "{"],
    ] as const) {
      expect(() => decodePart(extension, bytes(text))).toThrow(wrong);
    }
    expect(() => decodePart("mp", new Uint8Array([0x91]))).toThrow(wrong);
    expect(() => decodePart("txt", new Uint8Array([0xff]))).toThrow('Cannot decode a part ".txt": it is not UTF-8');
    expect(() => decodePart("npy", bytes("x"))).toThrow(expect.objectContaining({ code: "ARRAY_CORRUPT" }));
    await expect(decodePart("json.gz", bytes("no gzip"))).rejects.toThrow(wrong);
    await expect(decodePart("npz", bytes("no zip, though it is long enough for one"))).rejects.toThrow(wrong);
  });
});

describe("unzip()", () => {
  const npz = fromBase64(samples[0].fields.npz.$bytes);

  it("finds damage", async () => {
    const end = npz.length - 22;
    const damage: [string, (copy: Uint8Array) => void][] = [
      ["no end record", (copy) => copy.fill(0, end)],
      ["its directory is damaged", (copy) => copy.set([0xff, 0xff], end + 16)],
      ["its directory is damaged", (copy) => copy.set([2, 0], end + 10)],
      ["is packed by method 99", (copy) => copy.set([99], copy.length - 22 - 51 + 10)],
      ["is encrypted", (copy) => copy.set([1], copy.length - 22 - 51 + 8)],
      ["more than 1 GiB", (copy) => copy.set([0, 0, 0, 0x7f], copy.length - 22 - 51 + 24)],
      ["they hold more than 1 bytes", (copy) => copy.set([1, 0, 0, 0], copy.length - 22 - 51 + 24)],
      ["does not have its checksum", (copy) => copy.set([1], copy.length - 22 - 51 + 16)],
      ["not where its directory says", (copy) => copy.set([9], copy.length - 22 - 51 + 42)],
      ["needs 16777215 bytes", (copy) => copy.set([255, 255, 255], copy.length - 22 - 51 + 20)],
    ];
    expect((await unzip(npz)).has("p.npy")).toBe(true);
    for (const [message, change] of damage) {
      const copy = npz.slice();
      change(copy);
      await expect(unzip(copy)).rejects.toThrow(
        expect.objectContaining({ code: "SAMPLE_CORRUPT", message: expect.stringContaining(message) }),
      );
    }
    for (let length = 0; length < npz.length; length++)
      await expect(unzip(npz.slice(0, length))).rejects.toThrow(expect.objectContaining({ code: "SAMPLE_CORRUPT" }));
  });
});

describe("an array among parts", () => {
  it("is read in atdata's format too", () => {
    const array = NdArray.from([[1, 2]], "int8");
    const encoded = new Uint8Array(encodedArraySize(array));
    encodeArray(encoded, 0, array);
    expect((decodePart("npy", encoded) as NdArray).equals(array)).toBe(true);
  });
});
