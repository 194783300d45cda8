import type { DType } from "./dtype.ts";
import type { NdArray } from "./ndarray.ts";

/** How whole numbers appear in JavaScript: see {@link field.int}. */
export type IntMode = "number" | "bigint" | "auto";

/** atdata's kinds of encoded values beside arrays. */
export type BytesFormat = "structured" | "sparse" | "arrow_tensor" | "safetensors" | "dataframe";

/** What kind of value a field holds, as plain data. */
export type FieldSpec =
  | { readonly kind: "string" }
  | { readonly kind: "int"; readonly mode: IntMode }
  | { readonly kind: "float" }
  | { readonly kind: "bool" }
  | {
      readonly kind: "bytes";
      /** What the bytes hold, where a schema record says so: it stays in the record, and the value stays bytes. */
      readonly format?: BytesFormat | undefined;
    }
  | {
      readonly kind: "ndarray";
      /** Absent: any dtype. */
      readonly dtype?: DType | undefined;
      /** Absent: any shape; `null` in it: any length of that axis. */
      readonly shape?: readonly (number | null)[] | undefined;
      /**
       * Dtype and shape are what a schema record claims. Python checks neither, and records every array of unknown dtype as
       * float32, so neither does reading or writing here.
       */
      readonly unchecked?: true | undefined;
    }
  | { readonly kind: "list" /** Absent, in schema records only: any values. */; readonly items?: FieldSpec | undefined }
  | { readonly kind: "dict" /** Absent: any values. */; readonly values?: FieldSpec | undefined };

/** One field of a sample type: what it holds, and whether it may be absent. Made by {@link field}. */
export interface Field<out T = unknown, out Optional extends boolean = boolean> {
  readonly spec: FieldSpec;
  readonly optional: Optional;
  /** Only a type: the JavaScript value of the field. */
  readonly "~type"?: T;
}

/** A value of an untyped map or list: what msgpack can hold. */
export type Untyped = null | boolean | number | bigint | string | Uint8Array | Untyped[] | { [key: string]: Untyped };

const of = <T>(spec: FieldSpec): Field<T, false> => Object.freeze({ spec: Object.freeze(spec), optional: false });

interface IntValues {
  number: number;
  bigint: bigint;
  auto: number | bigint;
}

function int<M extends IntMode = "number">(mode?: M): Field<IntValues[M], false> {
  if (mode !== undefined && mode !== "number" && mode !== "bigint" && mode !== "auto") {
    throw new TypeError(
      `Cannot define an int field: mode must be "number", "bigint" or "auto", not ${JSON.stringify(mode)}`,
    );
  }
  return of({ kind: "int", mode: mode ?? "number" });
}

function ndarray<D extends DType = DType>(dtype?: D, shape?: readonly (number | null)[]): Field<NdArray<D>, false> {
  for (const size of shape ?? []) {
    if (size !== null && (!Number.isSafeInteger(size) || size < 0)) {
      throw new RangeError(`Cannot define an ndarray field: an axis must be a whole number >= 0 or null, not ${size}`);
    }
  }
  return of({ kind: "ndarray", dtype, shape: shape === undefined ? undefined : Object.freeze([...shape]) });
}

function required(of: string, inner: Field): FieldSpec {
  if (inner.optional) {
    throw new TypeError(`Cannot define a ${of} of optional values: only a field as a whole may be optional`);
  }
  return inner.spec;
}

/**
 * The kinds of fields a sample can have.
 *
 * @example
 * ```ts
 * const Photo = defineSample("Photo", {
 *   pixels: field.ndarray("uint8", [null, null, 3]),
 *   label: field.string(),
 *   score: field.optional(field.float()),
 *   tags: field.list(field.string()),
 * });
 * ```
 */
export const field: {
  /** Text (UTF-8 in the shard). */
  string(): Field<string, false>;
  /**
   * A whole number from -2^63 to 2^64-1. By default a `number`; a value beyond `Number.MAX_SAFE_INTEGER` is then the error
   * `INT_UNSAFE`. `"bigint"` is always a bigint; `"auto"` a number where it is safe, else a bigint.
   */
  int<M extends IntMode = "number">(mode?: M): Field<IntValues[M], false>;
  /** A 64-bit float; `NaN`, infinities and `-0` are kept. */
  float(): Field<number, false>;
  bool(): Field<boolean, false>;
  bytes(): Field<Uint8Array, false>;
  /** An n-dimensional array. `shape` lists the length of each axis, `null` where it is free. @default any dtype, any shape */
  ndarray<D extends DType = DType>(dtype?: D, shape?: readonly (number | null)[]): Field<NdArray<D>, false>;
  /** A list of values of one kind. */
  list<T>(items: Field<T, false>): Field<T[], false>;
  /** A map from text to values of one kind, or of any kind. Beyond atdata's own schemas, which know no maps. */
  dict(): Field<Record<string, Untyped>, false>;
  dict<T>(values: Field<T, false>): Field<Record<string, T>, false>;
  /** A field that may be absent: `null` in memory and in the shard. */
  optional<T>(inner: Field<T, false>): Field<T, true>;
} = {
  string: () => of({ kind: "string" }),
  int,
  float: () => of({ kind: "float" }),
  bool: () => of({ kind: "bool" }),
  bytes: () => of({ kind: "bytes" }),
  ndarray,
  list: (items) => of({ kind: "list", items: required("list", items) }),
  dict: (values?: Field) =>
    of<never>({ kind: "dict", values: values === undefined ? undefined : required("dict", values) }),
  optional: (inner) => Object.freeze({ spec: inner.spec, optional: true }),
};
