import { setField } from "../schema/columns.ts";
import type { Untyped } from "../schema/field.ts";
import { NdArray } from "../schema/ndarray.ts";
import { encodeArray, encodedArraySize } from "./array.ts";
import {
  corrupt,
  cursorOver,
  peekKind,
  readKey,
  readLength,
  readValue,
  skipValue,
  type WireKind,
  wireKind,
} from "./msgpack.ts";
import { encodeUntyped } from "./msgpack-write.ts";

/**
 * A sample without a type: a view over its own msgpack bytes. Values are read when they are asked for; arrays are bytes, as
 * nothing says that they are arrays. An integer and a float of equal value stay apart in the bytes, so a sample that is
 * written again unchanged is the same to the byte.
 *
 * @example
 * ```ts
 * const sample = DictSample.from({ label: "cat", score: 0.5 });
 * sample.get("label"); // "cat"
 * sample.kindOf("score"); // "float"
 * ```
 */
export class DictSample implements Iterable<[name: string, value: Untyped]> {
  /** The map as it is stored, and nothing behind it. */
  readonly bytes: Uint8Array;
  /** Where the value of each field begins. A name that is there twice has the place of the first and the value of the last. */
  readonly #places = new Map<string, number>();
  readonly #values = new Map<string, Untyped>();

  /**
   * @param bytes A msgpack map with text as keys; they are kept, not copied. Bytes behind the map are left out, as Python
   * ignores them.
   * @throws {PipelineError} `SAMPLE_CORRUPT` if there is no such map, or any value in it is damaged.
   */
  constructor(bytes: Uint8Array) {
    const cursor = cursorOver(bytes);
    const kind = peekKind(cursor);
    if (kind !== "map") throw corrupt(`it is of kind ${kind}, not a map of fields`, 0);
    const count = readLength(cursor);
    for (let i = 0; i < count; i++) {
      const name = readKey(cursor);
      const place = cursor.at;
      cursor.at = skipValue(bytes, cursor.view, place, bytes.length, true);
      if (cursor.at < 0) {
        readValue({ ...cursor, at: place }, 1); // says what is wrong
        throw corrupt("a value is damaged", place);
      }
      this.#places.set(name, place);
    }
    this.bytes = bytes.subarray(0, cursor.at);
  }

  /**
   * A sample of plain values. Arrays become bytes in atdata's format; a number without a fraction becomes an integer.
   *
   * @throws {TypeError} If a value is nothing that msgpack has.
   */
  static from(object: Readonly<Record<string, Untyped | NdArray>>): DictSample {
    const plain: Record<string, Untyped> = {};
    for (const [name, value] of Object.entries(object))
      setField(plain, name, value instanceof NdArray ? arrayBytes(value) : value);
    return new DictSample(encodeUntyped(plain));
  }

  /** Number of fields. */
  get size(): number {
    return this.#places.size;
  }

  /** The names of the fields, in the order they are stored. */
  keys(): IterableIterator<string> {
    return this.#places.keys();
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** The value of a field, undefined if there is none of that name. Whole numbers beyond 2^53 are bigints. */
  get(name: string): Untyped | undefined {
    const place = this.#places.get(name);
    if (place === undefined) return undefined;
    let value = this.#values.get(name);
    if (value === undefined) {
      value = readValue(cursorOver(this.bytes, place), 1);
      this.#values.set(name, value);
    }
    return value;
  }

  /** How a field is stored; undefined if there is none of that name. */
  kindOf(name: string): WireKind | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : wireKind(this.bytes[place]!);
  }

  *[Symbol.iterator](): Generator<[name: string, value: Untyped]> {
    for (const name of this.keys()) yield [name, this.get(name)!];
  }

  /** The fields as a plain object. JavaScript puts names that are whole numbers first. */
  toObject(): Record<string, Untyped> {
    return Object.fromEntries(this);
  }

  /** The names of the fields: `DictSample(label, score)`. */
  toString(): string {
    return `DictSample(${[...this.keys()].join(", ")})`;
  }
}

function arrayBytes(array: NdArray): Uint8Array {
  const bytes = new Uint8Array(encodedArraySize(array));
  encodeArray(bytes, 0, array);
  return bytes;
}

/** A field of a sample, untyped or an object. */
export function fieldOf(sample: unknown, name: string): unknown {
  return sample instanceof DictSample ? sample.get(name) : (sample as Readonly<Record<string, unknown>>)[name];
}
