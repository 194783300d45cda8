import { describe, expect, it } from "vitest";
import { type Field, field } from "../../src/schema/field.ts";
import { NdArray } from "../../src/schema/ndarray.ts";
import { defineSample } from "../../src/schema/sample.ts";
import { checkSample } from "../../src/schema/validate.ts";

const issuesOf = (type: { name: string; fields: Parameters<typeof checkSample>[1] }, value: unknown): string[] =>
  checkSample(type.name, type.fields, value).issues?.map(({ message }) => message) ?? [];
const ofField = (one: Field, value: unknown): string[] => issuesOf(defineSample("One", { x: one }), { x: value });

describe("checkSample()", () => {
  const Photo = defineSample("Photo", { label: field.string(), score: field.optional(field.float()) });

  it("gives a sample back as it is, and a copy only to fill in nulls", () => {
    const whole = { label: "cat", score: null };
    expect(checkSample("Photo", Photo.fields, whole)).toEqual({ value: whole });
    expect(checkSample("Photo", Photo.fields, whole)).toHaveProperty("value", whole);
    const short = Object.freeze({ label: "cat" });
    expect(Photo.parse(short)).toEqual({ label: "cat", score: null });
    expect(Photo.parse({ score: undefined, label: "cat" })).toEqual({ label: "cat", score: null });
    expect(short).toEqual({ label: "cat" });
  });

  it("says in one sentence what is wrong with each field", () => {
    expect(issuesOf(Photo, { score: "high", y: 1 })).toEqual([
      'field "label" is missing',
      'field "score" must be a number, but it is the text "high"',
      'unknown field "y" (Photo has label, score)',
    ]);
    expect(issuesOf(Photo, { label: 3 })).toEqual(['field "label" must be text, but it is the number 3']);
    expect(issuesOf(Photo, { label: null })).toEqual(['field "label" must be text, but it is null']);
    for (const [value, words] of [
      [null, "null"],
      [[], "a list"],
      ["x", 'the text "x"'],
      [new Uint8Array(1), "a Uint8Array"],
    ] as const) {
      expect(issuesOf(Photo, value)).toEqual([`a Photo must be an object, but it is ${words}`]);
    }
    expect(() => Photo.parse({})).toThrow(
      expect.objectContaining({
        code: "SCHEMA_MISMATCH",
        message: 'Cannot take the value as Photo: field "label" is missing',
      }),
    );
  });

  it("takes for a field only what the object itself has", () => {
    const Odd = defineSample("Odd", { toString: field.string(), ["__proto__"]: field.optional(field.string()) });
    expect(issuesOf(Odd, {})).toEqual(['field "toString" is missing']);
    const value = Odd.parse({ toString: "x" });
    expect(Object.entries(value)).toEqual([
      ["toString", "x"],
      ["__proto__", null],
    ]);
  });

  it("checks whole numbers by their mode", () => {
    for (const value of [0, -1, Number.MAX_SAFE_INTEGER]) expect(ofField(field.int(), value)).toEqual([]);
    expect(ofField(field.int(), 1.5)).toEqual(['field "x" must be a whole number, but it is the number 1.5']);
    expect(ofField(field.int(), 2 ** 53)[0]).toContain("a whole number below 2^53");
    expect(ofField(field.int(), 1n)[0]).toContain("a whole number, but it is the bigint 1");
    expect(ofField(field.int(), NaN)[0]).toContain("but it is the number NaN");
    expect(ofField(field.int("bigint"), 1)[0]).toContain("a bigint, but it is the number 1");
    expect([1, 1n, 2n ** 64n - 1n, -(2n ** 63n)].flatMap((value) => ofField(field.int("auto"), value))).toEqual([]);
    for (const value of [2n ** 64n, -(2n ** 63n) - 1n])
      expect(ofField(field.int("bigint"), value)[0]).toContain("from -2^63 to 2^64-1");
  });

  it("checks the other simple kinds", () => {
    for (const value of [1, -0, NaN, Infinity]) expect(ofField(field.float(), value)).toEqual([]);
    expect(ofField(field.float(), 1n)[0]).toContain("a number");
    expect(ofField(field.bool(), 1)[0]).toContain("true or false");
    expect(ofField(field.bytes(), [1])[0]).toContain("a Uint8Array, but it is a list");
    expect(ofField(field.bytes(), new Float32Array(1))[0]).toContain("a Float32Array");
    expect(ofField(field.string(), "a\ud800")[0]).toContain("half a surrogate pair");
  });

  it("checks arrays where dtype and shape are declared", () => {
    const array = NdArray.empty("uint8", [2, 3]);
    for (const one of [field.ndarray(), field.ndarray("uint8"), field.ndarray("uint8", [null, 3])])
      expect(ofField(one, array)).toEqual([]);
    expect(ofField(field.ndarray("float32"), array)).toEqual([
      'field "x" must be an array of float32, but it is one of uint8',
    ]);
    expect(ofField(field.ndarray("uint8", [null, 4]), array)).toEqual([
      'field "x" must have the shape [any, 4], but it has [2, 3]',
    ]);
    expect(ofField(field.ndarray("uint8", [6]), array)[0]).toContain("the shape [6]");
    expect(ofField(field.ndarray(), new Uint8Array(1))[0]).toContain("an NdArray, but it is a Uint8Array");
    const unchecked = {
      spec: { kind: "ndarray", dtype: "float32", shape: [1], unchecked: true },
      optional: false,
    } as const;
    expect(ofField(unchecked, array)).toEqual([]);
  });

  it("names the place inside of lists and maps", () => {
    const boxes = field.list(field.dict(field.int()));
    expect(ofField(boxes, [{}, { w: 1 }])).toEqual([]);
    expect(ofField(boxes, [{}, { w: "1" }])).toEqual(['field "x[1].w" must be a whole number, but it is the text "1"']);
    expect(ofField(boxes, [undefined, {}])[0]).toContain('"x[0]" must be a plain object, but it is undefined');
    expect(ofField(boxes, {})[0]).toContain("a list, but it is an object");
    expect(ofField(field.dict(), new Map())[0]).toContain("a plain object, but it is a Map");
    const { issues } = checkSample("One", [{ name: "x", spec: boxes.spec, optional: false }], { x: [{ w: 0.5 }] });
    expect(issues?.[0]?.path).toEqual(["x", 0, "w"]);
  });

  it("checks values of any kind for what msgpack can hold", () => {
    expect(ofField(field.dict(), { a: [null, true, 1, 1n, "t", new Uint8Array(1), { b: [] }] })).toEqual([]);
    expect(ofField(field.dict(), { a: [undefined] })[0]).toContain('"x.a[0]" must be null, a boolean');
    expect(ofField(field.dict(), { a: new Date() })[0]).toContain("a Date");
    expect(ofField(field.dict(), { a: 2n ** 64n })[0]).toContain("from -2^63");
    const loop: Record<string, unknown> = {};
    loop.a = loop;
    expect(ofField(field.dict(), loop)).toEqual(['field "x" is nested more than 1000 deep']);
  });
});
