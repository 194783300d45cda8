import type { FieldSpec } from "../schema/field.ts";
import { NdArray } from "../schema/ndarray.ts";
import { isPlainObject } from "../schema/plain.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { encodeArray, encodedArraySize } from "./array.ts";
import { viewOf } from "./msgpack.ts";
import { valueSize, writeBigint, writeCount, writeInt, writeLength, writeText, writeValue } from "./msgpack-write.ts";
import { fitsSpec } from "./typed.ts";

/** How the values of one field are written. */
interface ValueWriter {
  /** The most bytes a value takes; -1 when it is none that the field can hold. */
  room(value: unknown): number;
  /** Writes a value that has room; the offset behind it. */
  write(into: Uint8Array, view: DataView, at: number, value: unknown): number;
}

/** Longest head of text, bytes, lists and maps. */
const HEAD = 5;
const MAX_UINT64 = 2n ** 64n;
const MIN_INT64 = -(2n ** 63n);

const text: ValueWriter = {
  room: (value) => (typeof value === "string" && value.isWellFormed() ? HEAD + 3 * value.length : -1),
  write: (into, view, at, value) => writeText(into, view, at, value as string),
};
const int: ValueWriter = {
  room(value) {
    if (typeof value === "number") return Number.isSafeInteger(value) ? 9 : -1;
    return typeof value === "bigint" && value >= MIN_INT64 && value < MAX_UINT64 ? 9 : -1;
  },
  write: (into, view, at, value) =>
    typeof value === "number" ? writeInt(into, view, at, value) : writeBigint(into, view, at, value as bigint),
};
const float: ValueWriter = {
  room: (value) => (typeof value === "number" ? 9 : -1),
  write(into, view, at, value) {
    into[at] = 0xcb;
    view.setFloat64(at + 1, value as number);
    return at + 9;
  },
};
const bool: ValueWriter = {
  room: (value) => (typeof value === "boolean" ? 1 : -1),
  write(into, _view, at, value) {
    into[at] = value === true ? 0xc3 : 0xc2;
    return at + 1;
  },
};
const bytes: ValueWriter = {
  room: (value) => (value instanceof Uint8Array ? HEAD + value.length : -1),
  write(into, view, at, value) {
    const data = value as Uint8Array;
    at = writeLength(into, view, at, data.length, 0xc4);
    into.set(data, at);
    return at + data.length;
  },
};

function writerOf(spec: FieldSpec): ValueWriter {
  switch (spec.kind) {
    case "string":
      return text;
    case "int":
      return spec.mode === "number"
        ? { ...int, room: (value) => (typeof value === "number" ? int.room(value) : -1) }
        : int;
    case "float":
      return float;
    case "bool":
      return bool;
    case "bytes":
      return bytes;
    case "ndarray":
      return {
        room: (value) =>
          value instanceof NdArray && fitsSpec(spec, value.dtype, value.shape) ? HEAD + encodedArraySize(value) : -1,
        write(into, view, at, value) {
          at = writeLength(into, view, at, encodedArraySize(value as NdArray), 0xc4);
          return encodeArray(into, at, value as NdArray);
        },
      };
    case "list":
      return spec.items === undefined ? untyped(Array.isArray) : listWriter(writerOf(spec.items));
    case "dict":
      return spec.values === undefined ? untyped(isPlainObject) : dictWriter(writerOf(spec.values));
  }
}

/** Values of any kind inside a list or map. */
function untyped(fits: (value: unknown) => boolean): ValueWriter {
  return {
    room(value) {
      try {
        return fits(value) ? valueSize(value) : -1;
      } catch {
        return -1;
      }
    },
    write: writeValue,
  };
}

function listWriter(items: ValueWriter): ValueWriter {
  return {
    room(value) {
      if (!Array.isArray(value)) return -1;
      let room = HEAD;
      for (let i = 0; i < value.length; i++) {
        const more = items.room(value[i]);
        if (more < 0) return -1;
        room += more;
      }
      return room;
    },
    write(into, view, at, value) {
      const list = value as readonly unknown[];
      at = writeCount(into, view, at, list.length, 0x90, 0xdc);
      for (let i = 0; i < list.length; i++) at = items.write(into, view, at, list[i]);
      return at;
    },
  };
}

function dictWriter(values: ValueWriter): ValueWriter {
  return {
    room(value) {
      if (!isPlainObject(value)) return -1;
      let room = HEAD;
      for (const [key, inner] of Object.entries(value)) {
        const [forKey, forValue] = [text.room(key), values.room(inner)];
        if (forKey < 0 || forValue < 0) return -1;
        room += forKey + forValue;
      }
      return room;
    },
    write(into, view, at, value) {
      const entries = Object.entries(value as Readonly<Record<string, unknown>>);
      at = writeCount(into, view, at, entries.length, 0x80, 0xde);
      for (const [key, inner] of entries) at = values.write(into, view, writeText(into, view, at, key), inner);
      return at;
    },
  };
}

interface FieldWriter {
  readonly name: string;
  readonly optional: boolean;
  /** The name as it stands in front of the value. */
  readonly key: Uint8Array;
  readonly value: ValueWriter;
}

/** Writes samples of one type as msgpack, in the bytes that Python writes for the same values. */
export class SampleWriter<in T = unknown> {
  readonly #type: AnySampleType;
  readonly #fields: readonly FieldWriter[];
  readonly #head: Uint8Array;
  /** Room for the head and the names. */
  readonly #fixed: number;
  #checked: Readonly<Record<string, unknown>> = {};

  constructor(type: AnySampleType) {
    this.#type = type;
    this.#fields = type.fields.map(({ name, optional, spec }) => ({
      name,
      optional,
      key: encoded(name),
      value: writerOf(spec),
    }));
    const head = new Uint8Array(HEAD);
    this.#head = head.slice(0, writeCount(head, viewOf(head), 0, type.fields.length, 0x80, 0xde));
    this.#fixed = this.#head.length + this.#fields.reduce((sum, { key }) => sum + key.length, 0);
  }

  /**
   * Checks a sample and says how much room it needs at most. {@link write} then writes it.
   *
   * @throws {PipelineError} `SCHEMA_MISMATCH`
   */
  room(sample: T): number {
    const values = sample as Readonly<Record<string, unknown>>;
    this.#checked = values;
    const room = this.#room(values);
    if (room >= 0) return room;
    // Says what is wrong; or fills in what is missing and may be.
    this.#checked = this.#type.parse(values) as Readonly<Record<string, unknown>>;
    return this.#room(this.#checked);
  }

  #room(values: Readonly<Record<string, unknown>>): number {
    if (typeof values !== "object" || values === null || Object.keys(values).length !== this.#fields.length) return -1;
    let room = this.#fixed;
    for (let i = 0; i < this.#fields.length; i++) {
      const { name, optional, value } = this.#fields[i]!;
      const given = values[name];
      if (optional && (given === null || given === undefined)) {
        room++;
        continue;
      }
      const more = value.room(given);
      if (more < 0) return -1;
      room += more;
    }
    return room;
  }

  /** Writes the sample that was last given to {@link room}; the offset behind it. */
  write(into: Uint8Array, view: DataView, at: number): number {
    const head = this.#head;
    for (let i = 0; i < head.length; i++) into[at++] = head[i]!;
    for (let i = 0; i < this.#fields.length; i++) {
      const { name, key, value } = this.#fields[i]!;
      for (let k = 0; k < key.length; k++) into[at++] = key[k]!;
      const given = this.#checked[name];
      if (given === null || given === undefined) into[at++] = 0xc0;
      else at = value.write(into, view, at, given);
    }
    return at;
  }

  /** One sample as bytes of its own. */
  encode(sample: T): Uint8Array {
    const bytes = new Uint8Array(this.room(sample));
    return bytes.slice(0, this.write(bytes, viewOf(bytes), 0));
  }
}

function encoded(text: string): Uint8Array {
  const bytes = new Uint8Array(HEAD + 3 * text.length);
  return bytes.slice(0, writeText(bytes, viewOf(bytes), 0, text));
}
