import { layoutOf, numpySpelling } from "../schema/dtype.ts";
import type { FieldSpec, Untyped } from "../schema/field.ts";
import { floatRepr } from "../schema/float-repr.ts";
import { NdArray } from "../schema/ndarray.ts";
import { isPlainObject, ownValue } from "../schema/plain.ts";
import type { NamedField, SampleType } from "../schema/sample.ts";
import { encodeArray, encodedArraySize } from "./array.ts";
import { toBase64 } from "./base64.ts";
import type { DictSample } from "./dict-sample.ts";
import { type Cursor, cursorOver, peekKind, readKey, readLength, readValue } from "./msgpack.ts";

/**
 * A value as JSON in which every value has exactly one spelling: whole numbers are decimal digits, floats their 16 hex digits
 * (`repr` is for people), bytes base64, maps lists of pairs in stored order. Of what is larger than 64 KiB there is only the
 * SHA-256.
 */
export type Canonical = null | boolean | string | readonly Canonical[] | CanonicalTag;

/** A value that JSON has no spelling of its own for. */
export type CanonicalTag =
  | { readonly $int: string }
  | { readonly $float: string; readonly repr: string }
  | { readonly $bytes: string }
  | { readonly $bytes_sha256: string; readonly length: number }
  | { readonly $map: readonly (readonly [string, Canonical])[] }
  | { readonly $ndarray: CanonicalArray };

/** An array: numpy's dtype, and the items in C order and in the byte order that the dtype says. */
export type CanonicalArray = { readonly dtype: string; readonly shape: readonly number[] } & (
  | { readonly data: string }
  | { readonly data_sha256: string; readonly nbytes: number }
);

/** The fields of a sample by name. */
export type CanonicalSample = Readonly<Record<string, Canonical>>;

/** Bytes up to this many stand in the text, of more only their digest. */
const INLINE = 65536;

/**
 * A value from its msgpack bytes, where integers and floats are still told apart. Async, as it may have to digest.
 *
 * @throws {PipelineError} `SAMPLE_CORRUPT` if the bytes do not begin with a value.
 */
export async function canonicalOfMsgpack(bytes: Uint8Array): Promise<Canonical> {
  readValue(cursorOver(bytes)); // finds whatever is wrong with them
  return settled((spelling) => spelling.wire(cursorOver(bytes)));
}

/** A sample without a type. */
export function canonicalOfDictSample({ bytes }: DictSample): Promise<CanonicalSample> {
  return settled((spelling) => Object.fromEntries(spelling.pairs(cursorOver(bytes))));
}

/**
 * A sample as its type says: an `int` field is always `$int`, a `float` field always `$float`.
 *
 * @example
 * ```ts
 * const Point = defineSample("Point", { x: field.float(), n: field.int() });
 * await canonicalOfSample(Point, { x: 1, n: 1 }); // { x: { $float: "3ff0000000000000", repr: "1.0" }, n: { $int: "1" } }
 * ```
 */
export function canonicalOfSample(type: Pick<SampleType, "fields">, sample: object): Promise<CanonicalSample> {
  return settled((spelling) => spellSample(spelling, type, sample));
}

function spellSample(spelling: Spelling, type: Pick<SampleType, "fields">, sample: object): CanonicalSample {
  const values = sample as Readonly<Record<string, unknown>>;
  const spell = ({ name, spec }: NamedField): [string, Canonical] => {
    const value = ownValue(values, name) ?? null;
    return [name, value === null ? null : spelling.value(spec, value)];
  };
  return Object.fromEntries(type.fields.map(spell));
}

/** A value as it is in memory, whole, however large it is; undefined if part of it is nothing that msgpack has. */
export function canonicalOfValue(value: unknown): Canonical | undefined {
  return isSayable(value) ? new Spelling(Number.POSITIVE_INFINITY).untyped(value as Untyped) : undefined;
}

/** A sample as its type says, whole; undefined if it is no sample of the type. */
export function canonicalOfWhole(
  type: Pick<SampleType, "fields" | "parse">,
  sample: unknown,
): CanonicalSample | undefined {
  try {
    return spellSample(new Spelling(Number.POSITIVE_INFINITY), type, type.parse(sample) as object);
  } catch {
    return undefined;
  }
}

function isSayable(value: unknown): boolean {
  if (value === null || ["boolean", "string", "number", "bigint"].includes(typeof value)) return true;
  if (value instanceof Uint8Array || value instanceof NdArray) return true;
  if (Array.isArray(value)) return value.every(isSayable);
  return isPlainObject(value) && Object.values(value).every(isSayable);
}

/** Digests are the only thing to wait for: all else is made at once, and they are put in when they are there. */
async function settled<T>(spell: (spelling: Spelling) => T): Promise<T> {
  const spelling = new Spelling();
  const result = spell(spelling);
  await Promise.all(spelling.digests);
  return result;
}

class Spelling {
  readonly digests: Promise<void>[] = [];
  /** Bytes up to this many stand in the text. */
  readonly #inline: number;

  constructor(inline: number = INLINE) {
    this.#inline = inline;
  }

  value(spec: FieldSpec | undefined, value: unknown): Canonical {
    switch (spec?.kind) {
      case undefined:
        return this.untyped(value as Untyped);
      case "int":
        return { $int: String(value) };
      case "float":
        return float(bitsOf(value as number));
      case "ndarray":
        return this.array(value as NdArray);
      case "list":
        return (value as unknown[]).map((item) => this.value(spec.items, item));
      case "dict":
        return { $map: Object.entries(value as object).map(([key, item]) => [key, this.value(spec.values, item)]) };
      default:
        return this.untyped(value as Untyped);
    }
  }

  /** A value as it would be written: a number without a fraction as an integer. */
  untyped(value: Untyped): Canonical {
    if (typeof value === "bigint") return { $int: String(value) };
    if (typeof value === "number") {
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? { $int: String(value) } : float(bitsOf(value));
    }
    if (value === null || typeof value !== "object") return value;
    if (value instanceof Uint8Array) return this.bytes(value);
    if ((value as unknown) instanceof NdArray) return this.array(value as unknown as NdArray);
    return this.value(Array.isArray(value) ? { kind: "list" } : { kind: "dict" }, value);
  }

  /** The value at the cursor; the bytes have been read once, and are good. */
  wire(cursor: Cursor): Canonical {
    const { bytes, view, at } = cursor;
    const kind = peekKind(cursor);
    if (kind === "map") return { $map: this.pairs(cursor) };
    if (kind === "list") return Array.from({ length: readLength(cursor) }, () => this.wire(cursor));
    const value = readValue(cursor);
    if (kind === "int") return { $int: String(value) };
    if (kind === "float")
      return float(bytes[at] === 0xcb ? view.getBigUint64(at + 1) : widened(view.getUint32(at + 1)));
    return this.untyped(value);
  }

  /** The pairs of the map at the cursor. */
  pairs(cursor: Cursor): [string, Canonical][] {
    const pairs = new Map<string, Canonical>(); // of a name that is there twice: place of the first, value of the last
    for (let count = readLength(cursor); count > 0; count--) pairs.set(readKey(cursor), this.wire(cursor));
    return [...pairs];
  }

  bytes(bytes: Uint8Array): Canonical {
    if (bytes.length <= this.#inline) return { $bytes: toBase64(bytes) };
    return this.digest({ $bytes_sha256: "", length: bytes.length }, "$bytes_sha256", bytes);
  }

  array(array: NdArray): Canonical {
    const encoded = new Uint8Array(encodedArraySize(array));
    encodeArray(encoded, 0, array);
    const nbytes = array.size * layoutOf(array.dtype).bytes;
    const items = encoded.subarray(encoded.length - nbytes);
    const head = { dtype: numpySpelling(array.dtype, array.byteOrder), shape: array.shape };
    if (nbytes <= this.#inline) return { $ndarray: { ...head, data: toBase64(items) } };
    return { $ndarray: this.digest({ ...head, data_sha256: "", nbytes }, "data_sha256", items) };
  }

  /** Sets a property to the SHA-256 of bytes as soon as that is there. */
  digest<K extends string, T extends Record<K, string>>(into: T, property: K, bytes: Uint8Array): T {
    const set = (hash: ArrayBuffer): void => {
      Object.assign(into, {
        [property]: Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join(""),
      });
    };
    this.digests.push(crypto.subtle.digest("SHA-256", bytes.slice()).then(set));
    return into;
  }
}

const scratch = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

function float(bits: bigint): Canonical {
  scratch.setBigUint64(0, bits);
  return { $float: bits.toString(16).padStart(16, "0"), repr: floatRepr(scratch.getFloat64(0)) };
}

/** The bits of a 32-bit float as those of a 64-bit one. NaN keeps its payload, which arithmetic would lose. */
function widened(bits: number): bigint {
  scratch.setUint32(0, bits);
  const value = scratch.getFloat32(0);
  if (!Number.isNaN(value)) return bitsOf(value);
  const sign = BigInt(bits >>> 31) << 63n;
  return sign | (0x7ffn << 52n) | (BigInt(bits & 0x7fffff) << 29n);
}
