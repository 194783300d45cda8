import { describe, expect, it } from "vitest";
import { bytesCid, contentCid, schemaCid } from "../../src/schema/cid.ts";
import { field } from "../../src/schema/field.ts";
import type { SchemaRecord } from "../../src/schema/record.ts";
import { defineSample } from "../../src/schema/sample.ts";
import { sampleTypeOf } from "../../src/schema/sample-type-of.ts";
import { fromBase64, type Json, readJson } from "../codec/fixtures.ts";

const { generate_cid, generate_cid_from_bytes, dataset_entry } = readJson("vectors/cids.json");

/** A canonical value as a JavaScript one; undefined where JavaScript has none that stays apart (1.0) or no such key. */
function plain(json: Json): unknown {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return all(json.map(plain));
  if (json.$int !== undefined) return BigInt(json.$int);
  if (json.$bytes !== undefined) return fromBase64(json.$bytes);
  if (json.$float !== undefined) {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(`0x${json.$float}`));
    const value = view.getFloat64(0);
    return Number.isSafeInteger(value) ? undefined : value;
  }
  const values = all(json.$map.map(([key, item]: Json) => (typeof key === "string" ? plain(item) : undefined)));
  return values && Object.fromEntries(json.$map.map(([key]: Json, i: number) => [key, values[i]]));
}
const all = (values: unknown[]): unknown[] | undefined => (values.includes(undefined) ? undefined : values);

describe("contentCid()", () => {
  const cases: { value: Json; plain: unknown; result?: Json; error?: Json }[] = generate_cid.map((entry: Json) => ({
    ...entry,
    plain: plain(entry.value),
  }));

  it("is Python's for every value that JavaScript has too: not for floats without a fraction, nor for keys that are numbers", async () => {
    let compared = 0;
    for (const { value, plain, result } of cases) {
      if (plain === undefined || result === undefined) continue;
      expect([value, await contentCid(plain)]).toEqual([value, result.cid]);
      compared++;
    }
    expect(cases.length - compared).toBeLessThan(10);
  });

  it("takes whole numbers for integers, safe ones as numbers too", async () => {
    const cidOf = (int: string): string => cases.find(({ value }) => value?.$int === int)!.result.cid;
    expect([await contentCid(0), await contentCid(-0), await contentCid(1), await contentCid(-1)]).toEqual([
      cidOf("0"),
      cidOf("0"),
      cidOf("1"),
      cidOf("-1"),
    ]);
    expect(await contentCid({ a: 1 })).toBe("bafyreihltcnuuyqp2jm24aqydpnlj7b6w3ogwrplomrjtg5rifv44mmjey");
    expect(await contentCid(-(2n ** 64n))).toMatch(/^bafyrei/);
  });

  it("is Python's for dataset entries and for bytes", async () => {
    for (const { schema_ref, data_urls, cid } of dataset_entry)
      expect(await contentCid({ schema_ref, data_urls })).toBe(cid);
    for (const { bytes, cid } of generate_cid_from_bytes) expect(await bytesCid(fromBase64(bytes))).toBe(cid);
  });

  it("says what it cannot take, and where", async () => {
    const wrong: [unknown, string][] = [
      [NaN, "the value is NaN"],
      [{ a: [1, Infinity] }, '"a[1]" is Infinity'],
      [2n ** 64n, "is 18446744073709551616"],
      [-(2n ** 64n) - 1n, "outside"],
      [undefined, "is undefined"],
      [{ a: { b: undefined } }, '"a.b" is undefined'],
      [new Date(), "is a Date"],
      [() => 1, "is a function"],
      ["\ud800", "surrogate"],
    ];
    for (const [value, message] of wrong) await expect(contentCid(value)).rejects.toThrow(message);
    const loop: unknown[] = [];
    loop.push(loop);
    await expect(contentCid(loop)).rejects.toThrow("nested more than");
  });
});

describe("schema records", () => {
  const { types, schema_to_type } = readJson("vectors/schemas.json");
  const records: Json[] = types.flatMap((entry: Json) => entry.records ?? []);

  it("come back equal, with the CID that Python gives them", async () => {
    expect(records.length).toBeGreaterThan(10);
    for (const { record, cid_without_createdAt, LocalSchemaRecord_to_dict } of records) {
      if (record === undefined) continue;
      const { createdAt: _, ...rest } = record;
      const again = sampleTypeOf(record).toJSON();
      expect(JSON.stringify(again)).toBe(JSON.stringify(rest));
      expect(await schemaCid(again)).toBe(cid_without_createdAt);
      expect(sampleTypeOf(LocalSchemaRecord_to_dict).toJSON()).toEqual(rest);
    }
  });

  it("are those of every fixture", async () => {
    for (const folder of [
      "primitives",
      "optional",
      "lists",
      "ndarrays",
      "formats_auto",
      "multishard",
      "lens",
      "corrupt",
    ]) {
      const { createdAt: _, ...record } = readJson(`${folder}/expected.json`).schema;
      expect(sampleTypeOf(record).toJSON()).toEqual(record);
    }
  });

  it("have the CID that a type written in TypeScript has", async () => {
    const Image = defineSample(
      "ImageSample",
      {
        image: field.ndarray("uint8"),
        label: field.string(),
        score: field.optional(field.float()),
        tags: field.list(field.string()),
      },
      { description: "Image with label." },
    );
    expect(await Image.cid()).toBe("bafyreidtggtumyddkkms7nqm3pvlajbcqazlzeupy4hcinvxc6o5df7bsi");
    expect(await sampleTypeOf(JSON.parse(JSON.stringify(Image))).cid()).toBe(await Image.cid());
  });

  it("hold what atdata has no kind for: maps, shapes, other dtypes", () => {
    const Wide = defineSample("Wide", {
      loose: field.dict(),
      counts: field.dict(field.int("bigint")),
      any: field.ndarray(),
      box: field.ndarray("datetime64[ns]", [null, 4]),
    });
    const record = Wide.toJSON();
    expect(record.fields.map(({ fieldType }) => fieldType)).toEqual([
      { $type: "local#dict" },
      { $type: "local#dict", values: { $type: "local#primitive", primitive: "int" } },
      { $type: "local#ndarray", dtype: "float32" },
      { $type: "local#ndarray", dtype: "datetime64[ns]", shape: [null, 4] },
    ]);
    expect(sampleTypeOf(record).toJSON()).toEqual(record);
  });

  it("are read as Python reads them, or refused as it does where that has a reason", () => {
    // Python refuses names that are no Python names; here they are names like others.
    const pythonOnly = /valid Python identifier/;
    for (const { schema, error } of schema_to_type as Json[]) {
      if (error === undefined || pythonOnly.test(error.message)) expect(sampleTypeOf(schema).fields).toHaveLength(1);
      else
        expect(() => sampleTypeOf(schema)).toThrow(
          expect.objectContaining({ code: "SCHEMA_INVALID", hint: expect.any(String) }),
        );
    }
  });

  const one = (fieldType: unknown): unknown => ({ name: "X", fields: [{ name: "a", fieldType }] });
  const specOf = (fieldType: unknown): unknown => sampleTypeOf(one(fieldType)).fields[0]!.spec;

  it("go by what stands behind the last # of $type, and have defaults", () => {
    expect(specOf({ $type: "a#b#primitive" })).toEqual({ kind: "string" });
    expect(specOf({ kind: "primitive", primitive: "int" })).toEqual({ kind: "int", mode: "auto" });
    expect(specOf({ $type: "x#array" })).toEqual({ kind: "list", items: undefined });
    expect(sampleTypeOf(one({ $type: "x#array" })).toJSON().fields[0]!.fieldType).toEqual({ $type: "local#array" });
    expect(specOf({ $type: "x#ndarray", dtype: "bfloat16", shape: null })).toEqual({
      kind: "ndarray",
      unchecked: true,
    });
    expect(specOf({ $type: "x#sparse" })).toEqual({ kind: "bytes", format: "sparse" });
  });

  it("are refused with the field and the reason", () => {
    let deep: unknown = { $type: "x#array" };
    for (let i = 0; i < 100; i++) deep = { $type: "x#array", items: deep };
    const wrong: [unknown, string][] = [
      [null, "it must be an object, not null"],
      [{ fields: [] }, "its name must be text, not undefined"],
      [{ name: "X" }, "its fields must be a list"],
      [{ name: "X", fields: [] }, 'Cannot use schema "X": a sample has at least one field'],
      [
        { name: "X", version: "banana", fields: [{ name: "a", fieldType: { $type: "x#primitive" } }] },
        "version must be major.minor.patch",
      ],
      [{ name: "X", version: 1, fields: [] }, "its version must be text"],
      [{ name: "X", schemaType: "jsonSchema", schema: {} }, "an ATProto record"],
      [{ name: "X", fields: [1] }, "field number 0 must be an object"],
      [{ name: "X", fields: [{ name: 1 }] }, "the name of field number 0"],
      [{ name: "X", fields: [{ name: "a", optional: 1 }] }, '"optional" must be true or false'],
      [one(undefined), 'Cannot use field "a" of schema "X": its type must be an object'],
      [one({ $type: "primitive" }), '$type must be like "local#primitive"'],
      [one({ $type: "x#primitive", primitive: "toString" }), 'there is no simple type the text "toString"'],
      [one({ $type: "x#ref", ref: "at://x" }), "it refers to another schema"],
      [one({ $type: "x#nope" }), 'no kind of field "nope"'],
      [one({ $type: "x#ndarray", shape: [-1] }), "its shape must be a list"],
      [one(deep), "nested more than 64 deep"],
      [
        {
          name: "X",
          fields: [
            { name: "a", fieldType: { $type: "x#ndarray" } },
            { name: "a", fieldType: { $type: "x#ndarray" } },
          ],
        },
        'field "a" is there twice',
      ],
    ];
    for (const [record, message] of wrong) {
      expect(() => sampleTypeOf(record)).toThrow(
        expect.objectContaining({ code: "SCHEMA_INVALID", message: expect.stringContaining(message) }),
      );
    }
  });

  it("is typed", () => {
    const record: SchemaRecord = defineSample("A", { a: field.string() }).toJSON();
    expect(record).toEqual({
      name: "A",
      version: "1.0.0",
      fields: [{ name: "a", fieldType: { $type: "local#primitive", primitive: "str" }, optional: false }],
      description: null,
    });
  });
});
