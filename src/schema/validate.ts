import type { FieldSpec, IntMode } from "./field.ts";
import { NdArray, shapeText } from "./ndarray.ts";
import { describe, isPlainObject, ownValue } from "./plain.ts";
import type { NamedField } from "./sample.ts";

/** One thing that is wrong with a sample. */
export interface SampleIssue {
  readonly message: string;
  /** Where: the name of the field, then indices of lists and keys of dicts. */
  readonly path: readonly (string | number)[];
  /** A whole number that the field's JavaScript number cannot hold. */
  readonly isUnsafeInt?: boolean;
}

/** A checked sample, or what is wrong with it. */
export type CheckedSample =
  | { readonly value: Readonly<Record<string, unknown>>; readonly issues?: undefined }
  | { readonly issues: readonly SampleIssue[] };

/**
 * Checks a value against the fields of a type. What comes back is the value itself, or a shallow copy where a missing optional
 * field had to become `null`; the fields are then in the order of the type.
 */
export function checkSample(name: string, fields: readonly NamedField[], value: unknown): CheckedSample {
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    return { issues: [{ message: `a ${name} must be an object, but it is ${describe(value)}`, path: [] }] };
  }
  const sample = value as Readonly<Record<string, unknown>>;
  const check = new Check();
  let known = 0;
  let complete = true;
  for (const { name: field, spec, optional } of fields) {
    const item = ownValue(sample, field);
    if (item !== undefined || Object.hasOwn(sample, field)) known++;
    if (item !== undefined && (item !== null || !optional)) check.inner(field, spec, item);
    else if (!optional) check.issues.push({ message: `field "${field}" is missing`, path: [field] });
    else if (item === undefined) complete = false;
  }
  if (Object.keys(sample).length > known) {
    const names = fields.map((field) => field.name);
    for (const key of Object.keys(sample).filter((key) => !names.includes(key))) {
      check.issues.push({ message: `unknown field "${key}" (${name} has ${names.join(", ")})`, path: [key] });
    }
  }
  if (check.issues.length > 0) return { issues: check.issues };
  if (complete) return { value: sample };
  return { value: Object.fromEntries(fields.map(({ name }) => [name, ownValue(sample, name) ?? null])) };
}

/** Deepest nesting of untyped values: what a msgpack reader will still read, and an end for values that hold themselves. */
const MAX_DEPTH = 1000;
const FIRST_INT = -(2n ** 63n);
const LAST_INT = 2n ** 64n - 1n;

/** One check of one sample: the place that is being looked at, and what was found. */
class Check {
  readonly issues: SampleIssue[] = [];
  readonly #path: (string | number)[] = [];

  /** Checks what stands under a name or an index of the present place. */
  inner(step: string | number, spec: FieldSpec | undefined, value: unknown): void {
    this.#path.push(step);
    if (spec === undefined) this.#untyped(value);
    else this.#value(spec, value);
    this.#path.pop();
  }

  #value(spec: FieldSpec, value: unknown): void {
    switch (spec.kind) {
      case "string":
        if (typeof value === "string") this.#text(value);
        else this.#wrong("text", value);
        break;
      case "int":
        this.#int(spec.mode, value);
        break;
      case "float":
        if (typeof value !== "number") this.#wrong("a number", value);
        break;
      case "bool":
        if (typeof value !== "boolean") this.#wrong("true or false", value);
        break;
      case "bytes":
        if (!(value instanceof Uint8Array)) this.#wrong("a Uint8Array", value);
        break;
      case "ndarray":
        if (!(value instanceof NdArray)) this.#wrong("an NdArray", value);
        else if (spec.unchecked !== true) this.#array(spec, value);
        break;
      case "list":
        if (Array.isArray(value)) this.#list(value, spec.items);
        else this.#wrong("a list", value);
        break;
      case "dict":
        if (isPlainObject(value)) this.#map(value, spec.values);
        else this.#wrong("a plain object", value);
    }
  }

  #text(text: string): void {
    if (!text.isWellFormed()) this.#report("holds half a surrogate pair, which UTF-8 cannot spell");
  }

  #int(mode: IntMode, value: unknown): void {
    if (typeof value === "bigint" && mode !== "number") {
      if (value < FIRST_INT || value > LAST_INT) this.#report(`must be from -2^63 to 2^64-1, but it is ${value}`);
    } else if (mode !== "bigint" && isUnsafe(value)) {
      this.#report(`must be a whole number below 2^53, but it is ${String(value)}`, true);
    } else if (typeof value !== "number" || mode === "bigint") {
      this.#wrong({ number: "a whole number", bigint: "a bigint", auto: "a whole number or a bigint" }[mode], value);
    } else if (!Number.isSafeInteger(value)) {
      this.#wrong("a whole number", value);
    }
  }

  #array({ dtype, shape }: Extract<FieldSpec, { kind: "ndarray" }>, array: NdArray): void {
    if (dtype !== undefined && array.dtype !== dtype) {
      this.#report(`must be an array of ${dtype}, but it is one of ${array.dtype}`);
    }
    if (shape === undefined) return;
    const lengths = array.shape;
    if (shape.length !== lengths.length || shape.some((length, axis) => length !== null && length !== lengths[axis])) {
      this.#report(`must have the shape ${shapeText(shape)}, but it has ${shapeText(lengths)}`);
    }
  }

  #list(list: readonly unknown[], items: FieldSpec | undefined): void {
    for (let index = 0; index < list.length; index++) this.inner(index, items, list[index]);
  }

  #map(map: Readonly<Record<string, unknown>>, values: FieldSpec | undefined): void {
    for (const key of Object.keys(map)) {
      this.#text(key);
      this.inner(key, values, map[key]);
    }
  }

  #untyped(value: unknown): void {
    if (this.#path.length > MAX_DEPTH) {
      this.issues.push({
        message: `field "${this.#path[0]}" is nested more than ${MAX_DEPTH} deep`,
        path: [...this.#path],
      });
    } else if (typeof value === "string") {
      this.#text(value);
    } else if (typeof value === "bigint") {
      this.#int("bigint", value);
    } else if (Array.isArray(value)) {
      this.#list(value, undefined);
    } else if (isPlainObject(value)) {
      this.#map(value, undefined);
    } else if (
      value !== null &&
      typeof value !== "boolean" &&
      typeof value !== "number" &&
      !(value instanceof Uint8Array)
    ) {
      this.#wrong("null, a boolean, a number, text, bytes, a list or a plain object", value);
    }
  }

  #wrong(expected: string, value: unknown): void {
    this.#report(`must be ${expected}, but it is ${describe(value)}`);
  }

  #report(problem: string, isUnsafeInt = false): void {
    // As a program would write it: boxes[2].label
    const steps = this.#path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
    const message = `field "${steps.join("").slice(1)}" ${problem}`;
    this.issues.push({ message, path: [...this.#path], ...(isUnsafeInt && { isUnsafeInt }) });
  }
}

/** A whole number that a JavaScript number cannot hold, whatever it comes as. */
function isUnsafe(value: unknown): boolean {
  const number = typeof value === "bigint" ? Number(value) : value;
  return Number.isInteger(number) && !Number.isSafeInteger(number);
}
