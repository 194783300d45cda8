import fc from "fast-check";
import { floatRepr } from "../../src/schema/float-repr.ts";
import type { Spelled, SpelledFields } from "./python.ts";

/** The schema record of the samples below: every kind of field, also as a list and as an optional field. */
const simple = (primitive: string) => ({ $type: "local#primitive", primitive });
const listOf = (items: object) => ({ $type: "local#array", items });
const array = { $type: "local#ndarray", dtype: "float32" };
const FIELDS: Readonly<Record<string, object>> = {
  text: simple("str"),
  whole: simple("int"),
  real: simple("float"),
  flag: simple("bool"),
  blob: simple("bytes"),
  array,
  texts: listOf(simple("str")),
  wholes: listOf(simple("int")),
  reals: listOf(simple("float")),
  flags: listOf(simple("bool")),
  blobs: listOf(simple("bytes")),
  nested: listOf(listOf(simple("int"))),
};
const optional = Object.entries(FIELDS).map(([name, fieldType]) => ({
  name: `maybe_${name}`,
  fieldType,
  optional: true,
}));
export const schema = {
  name: "Everything",
  version: "1.0.0",
  fields: [...Object.entries(FIELDS).map(([name, fieldType]) => ({ name, fieldType, optional: false })), ...optional],
};

export const int = (value: bigint): Spelled => ({ $int: String(value) });
export function float(value: number): Spelled {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  return { $float: bits.getBigUint64(0).toString(16).padStart(16, "0"), repr: floatRepr(value) };
}
export const bytes = (value: Uint8Array): Spelled => ({ $bytes: Buffer.from(value).toString("base64") });

// Floats of 2, 4 and 8 bytes hold any bits; a bool is 0 or 1, and text in UTF-32 must be text.
const NUMBERS = [
  "|i1",
  "|u1",
  ..."i2 u2 i4 u4 i8 u8 f2 f4 f8 c8 c16".split(" ").flatMap((code) => [`<${code}`, `>${code}`]),
];
const TIMES = ["<M8[ns]", ">M8[D]", "<m8[25s]"];
const arrays: fc.Arbitrary<Spelled> = fc
  .record({
    dtype: fc.constantFrom(...NUMBERS, ...TIMES, "|b1", "<U2", "|S3"),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
  })
  .chain(({ dtype, shape }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const itemBytes = dtype.startsWith("|")
      ? Number(dtype.slice(2))
      : /[Mm]/.test(dtype)
        ? 8
        : Number(dtype.slice(2)) * (dtype[1] === "U" ? 4 : 1);
    const item = dtype === "|b1" ? fc.nat(1) : dtype === "|S3" ? fc.integer({ min: 0x41, max: 0x5a }) : fc.nat(255);
    const data =
      dtype === "<U2" ? utf32(2 * size) : fc.array(item, { minLength: itemBytes * size, maxLength: itemBytes * size });
    return data.map((items) => ({ $ndarray: { dtype, shape, data: Buffer.from(items).toString("base64") } }));
  });

function utf32(characters: number): fc.Arbitrary<number[]> {
  const point = fc.constantFrom(0x41, 0xe9, 0x65e5, 0x1f600);
  return fc
    .array(point, { minLength: characters, maxLength: characters })
    .map((points) => points.flatMap((code) => [code & 255, (code >> 8) & 255, code >> 16, 0]));
}

const text: fc.Arbitrary<Spelled> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("", "\ufefftext", "\0", "é", "日本語", "😀"),
);
const whole = fc
  .oneof(
    fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
    fc.constantFrom(
      0n,
      -1n,
      127n,
      128n,
      255n,
      256n,
      -32n,
      -33n,
      65535n,
      65536n,
      -(2n ** 31n),
      2n ** 32n,
      2n ** 53n + 1n,
      -(2n ** 63n),
      2n ** 64n - 1n,
    ),
  )
  .map(int);
const real = fc
  .oneof(fc.double(), fc.constantFrom(0, -0, 1, 1e16, 1e-5, 5e-324, Number.NaN, Number.POSITIVE_INFINITY))
  .map(float);
const blob = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(0))).map(bytes);
const list = (item: fc.Arbitrary<Spelled>): fc.Arbitrary<Spelled> => fc.array(item, { maxLength: 20 });

const VALUES: Readonly<Record<string, fc.Arbitrary<Spelled>>> = {
  text,
  whole,
  real,
  flag: fc.boolean(),
  blob,
  array: arrays,
  texts: list(text),
  wholes: list(whole),
  reals: list(real),
  flags: list(fc.boolean()),
  blobs: list(blob),
  nested: list(list(whole)),
};
const maybe = Object.entries(VALUES).map(([name, value]) => [`maybe_${name}`, fc.option(value)] as const);

/** Samples of {@link schema} in canonical JSON. */
export const typedSamples: fc.Arbitrary<SpelledFields[]> = fc.array(
  fc.record({ ...VALUES, ...Object.fromEntries(maybe) }) as fc.Arbitrary<SpelledFields>,
  { minLength: 40, maxLength: 40, size: "max" },
);

const { anything } = fc.letrec<{ anything: Spelled }>((tie) => ({
  anything: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    text,
    whole,
    real,
    fc.boolean(),
    blob,
    fc.array(tie("anything"), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.string({ maxLength: 8 }), tie("anything")), { maxLength: 4, selector: ([key]) => key })
      .map((pairs) => ({ $map: pairs })),
  ),
}));

/** Samples without a type. Names of whole numbers are left out: JavaScript puts them first. */
export const untypedSamples: fc.Arbitrary<SpelledFields[]> = fc.array(
  fc.dictionary(fc.stringMatching(/^[a-zé_][a-z0-9]{0,8}$/), anything, { minKeys: 1, maxKeys: 8 }),
  { minLength: 60, maxLength: 60, size: "max" },
);

/** The same values each time. */
export const drawn = <T>(arbitrary: fc.Arbitrary<T>, seed: number): T => fc.sample(arbitrary, { seed, numRuns: 1 })[0]!;
