import { PipelineError } from "../errors.ts";
import { setField } from "../schema/columns.ts";
import { layoutOf, parseDtype } from "../schema/dtype.ts";
import type { FieldSpec, IntMode, Untyped } from "../schema/field.ts";
import { NdArray } from "../schema/ndarray.ts";
import { describe, isPlainObject } from "../schema/plain.ts";
import type { SampleTypeOf } from "../schema/sample.ts";
import { copyItems, encodeArray, encodedArraySize } from "./array.ts";
import { fromBase64 } from "./base64.ts";
import { DictSample } from "./dict-sample.ts";
import { MAX_DEPTH } from "./msgpack.ts";
import { encodeHead, encodeUntyped } from "./msgpack-write.ts";

/**
 * A sample of a type from canonical JSON: fields by name, each spelled as {@link Canonical}. Plain JSON numbers are taken for
 * whole numbers and floats too.
 *
 * @example
 * ```ts
 * const Point = defineSample("Point", { x: field.float(), n: field.int() });
 * sampleFromCanonical(Point, { x: 1.5, n: { $int: "1" } }); // { x: 1.5, n: 1 }
 * ```
 * @throws {PipelineError} `SCHEMA_MISMATCH` if it is no sample of the type; `SAMPLE_CORRUPT` if a value is spelled in a way that
 * does not exist, or is only a digest; `INT_UNSAFE` if a field of plain numbers has a larger one.
 */
export function sampleFromCanonical<T>(type: Pick<SampleTypeOf<T>, "fields" | "parse">, json: unknown): T {
  if (!isPlainObject(json)) return type.parse(json);
  const sample: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(json)) {
    const spec = type.fields.find((field) => field.name === name)?.spec;
    setField(sample, name, spec === undefined ? value : fieldValueOf(spec, value, name));
  }
  return type.parse(sample);
}

/** The msgpack bytes of a value in canonical JSON: floats keep every bit, and integers stay integers. */
export function msgpackFromCanonical(json: unknown): Uint8Array {
  return joined(wireParts(json, "the value", 0));
}

/** A sample without a type from canonical JSON: fields by name. */
export function dictSampleFromCanonical(json: unknown): DictSample {
  if (!isPlainObject(json)) throw unreadable("the sample", `it must be an object, not ${describe(json)}`);
  const pairs = Object.entries(json);
  const fields = pairs.flatMap(([name, value]) => [encodeUntyped(name), ...wireParts(value, name, 1)]);
  return new DictSample(joined([encodeHead("map", pairs.length), ...fields]));
}

/** A value from canonical JSON; an array comes as one. */
export function valueFromCanonical(json: unknown): unknown {
  if (isTagged(json, "$ndarray")) return arrayOf(json.$ndarray, "the value");
  if (Array.isArray(json)) return json.map(valueFromCanonical);
  if (isTagged(json, "$map")) return mapOf(json, "the value", valueFromCanonical);
  return untypedOf(json, "the value", 0);
}

/** The value a field holds; one of another kind comes back as it is, and the check of the sample then names it. */
function fieldValueOf(spec: FieldSpec | undefined, json: unknown, place: string): unknown {
  if (spec === undefined) return untypedOf(json, place, 0);
  switch (spec.kind) {
    case "int":
      return intOf(spec.mode, json, place);
    case "float":
      return isTagged(json, "$float") || isTagged(json, "$int") ? Number(untypedOf(json, place, 0)) : json;
    case "list":
      return Array.isArray(json)
        ? json.map((item, index) => fieldValueOf(spec.items, item, `${place}[${index}]`))
        : json;
    case "dict":
      return isTagged(json, "$map")
        ? mapOf(json, place, (item, key) => fieldValueOf(spec.values, item, `${place}.${key}`))
        : json;
    case "ndarray":
      return isTagged(json, "$ndarray") ? arrayOf(json.$ndarray, place) : json;
    default:
      return untypedOf(json, place, 0);
  }
}

function intOf(mode: IntMode, json: unknown, place: string): unknown {
  if (!isTagged(json, "$int")) return mode === "bigint" && Number.isSafeInteger(json) ? BigInt(json as number) : json;
  const value = digitsOf(json, place);
  if (mode === "bigint") return value;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  if (mode === "auto") return value;
  throw new PipelineError("INT_UNSAFE", `Cannot read field "${place}": ${value} is no safe number`, {
    field: place,
    hint: 'declare the field as field.int("bigint") or field.int("auto")',
  });
}

/** A value of no declared kind, as a reader of msgpack would give it. */
function untypedOf(json: unknown, place: string, depth: number): Untyped {
  if (depth > MAX_DEPTH) throw unreadable(place, `it is nested more than ${MAX_DEPTH} deep`);
  if (json === null || typeof json === "boolean" || typeof json === "string" || typeof json === "number") return json;
  if (Array.isArray(json)) return json.map((item, index) => untypedOf(item, `${place}[${index}]`, depth + 1));
  if (isTagged(json, "$float")) return floatBytes(json, place).getFloat64(1);
  if (isTagged(json, "$bytes")) return bytesOf(json.$bytes, place);
  if (isTagged(json, "$map")) return mapOf(json, place, (item, key) => untypedOf(item, `${place}.${key}`, depth + 1));
  if (isTagged(json, "$int")) {
    const value = digitsOf(json, place);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  throw unknownSpelling(json, place);
}

function mapOf<V>(json: Tagged, place: string, read: (item: unknown, key: string) => V): Record<string, V> {
  const map: Record<string, V> = {};
  for (const [key, item] of pairsOf(json, place)) setField(map, key, read(item, key));
  return map;
}

/** The pieces of the msgpack of a value, in order. */
function wireParts(json: unknown, place: string, depth: number): Uint8Array[] {
  if (depth > MAX_DEPTH) throw unreadable(place, `it is nested more than ${MAX_DEPTH} deep`);
  if (Array.isArray(json)) {
    const items = json.flatMap((item, index) => wireParts(item, `${place}[${index}]`, depth + 1));
    return [encodeHead("list", json.length), ...items];
  }
  if (isTagged(json, "$map")) {
    const pairs = pairsOf(json, place);
    const items = pairs.flatMap(([key, item]) => [
      encodeUntyped(key),
      ...wireParts(item, `${place}.${key}`, depth + 1),
    ]);
    return [encodeHead("map", pairs.length), ...items];
  }
  if (isTagged(json, "$float")) return [new Uint8Array(floatBytes(json, place).buffer)];
  if (isTagged(json, "$int")) return [encodeUntyped(digitsOf(json, place))];
  if (isTagged(json, "$ndarray")) {
    const array = arrayOf(json.$ndarray, place);
    const bytes = new Uint8Array(encodedArraySize(array));
    encodeArray(bytes, 0, array);
    return [encodeUntyped(bytes)];
  }
  return [encodeUntyped(untypedOf(json, place, depth))];
}

type Tagged = Readonly<Record<string, unknown>>;

const isTagged = (json: unknown, tag: string): json is Tagged => isPlainObject(json) && Object.hasOwn(json, tag);

function pairsOf(json: Tagged, place: string): readonly [string, unknown][] {
  const pairs = json.$map;
  const isPair = (pair: unknown): boolean => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string";
  if (Array.isArray(pairs) && pairs.every(isPair)) return pairs;
  throw unreadable(place, "$map must be a list of [text, value]");
}

function digitsOf({ $int }: Tagged, place: string): bigint {
  if (typeof $int !== "string" || !/^-?\d{1,20}$/.test($int))
    throw unreadable(place, `$int must be decimal digits, not ${describe($int)}`);
  return BigInt($int);
}

/** msgpack's nine bytes of a 64-bit float. */
function floatBytes({ $float }: Tagged, place: string): DataView<ArrayBuffer> {
  if (typeof $float !== "string" || !/^[\da-f]{16}$/i.test($float))
    throw unreadable(place, `$float must be 16 hex digits, not ${describe($float)}`);
  const view = new DataView(new ArrayBuffer(9));
  view.setUint8(0, 0xcb);
  view.setBigUint64(1, BigInt(`0x${$float}`));
  return view;
}

function bytesOf(base64: unknown, place: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(base64 as string);
  } catch (cause) {
    throw unreadable(place, `${describe(base64)} is no base64`, { cause });
  }
}

function arrayOf(json: unknown, place: string): NdArray {
  const { dtype, shape, data } = (json ?? {}) as Tagged;
  if (typeof dtype !== "string" || typeof data !== "string" || !Array.isArray(shape)) {
    throw unreadable(place, "$ndarray must have dtype, shape and data");
  }
  const stored = parseDtype(dtype);
  const bytes = bytesOf(data, place);
  const { bytes: size } = layoutOf(stored.dtype);
  const items = shape.reduce((product: number, length: unknown) => product * Number(length), 1);
  if (items * size !== bytes.length)
    throw unreadable(place, `its ${bytes.length} bytes are not the items of its shape`);
  const array = NdArray.empty(stored.dtype, shape, stored.byteOrder);
  const header = { ...stored, shape, dataStart: 0, dataLength: bytes.length, fortranOrder: false };
  copyItems(header, bytes, new Uint8Array(array.data.buffer));
  return array;
}

function unknownSpelling(json: unknown, place: string): PipelineError {
  const keys = isPlainObject(json) ? Object.keys(json) : [];
  if (keys.some((key) => key.endsWith("sha256"))) return unreadable(place, "there is only its digest");
  return unreadable(
    place,
    `${keys.length === 0 ? describe(json) : JSON.stringify(keys)} spells no value; maps are { $map: [[key, value], …] }`,
  );
}

function unreadable(place: string, problem: string, facts: { cause?: unknown } = {}): PipelineError {
  return new PipelineError("SAMPLE_CORRUPT", `Cannot read "${place}" from canonical JSON: ${problem}`, facts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
