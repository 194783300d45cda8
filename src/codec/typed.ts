import { PipelineError } from "../errors.ts";
import type { FieldSpec } from "../schema/field.ts";
import type { NdArray } from "../schema/ndarray.ts";
import type { NamedField } from "../schema/sample.ts";
import { decodeArray } from "./array.ts";
import { type Cursor, corrupt, peekKind, readKey, readLength, readValue, skipValue, type WireKind } from "./msgpack.ts";

/** What a reader does with fields that the type has not. */
export type UnknownFields = "error" | "ignore";

/**
 * Reads a sample whose fields may stand in any order, one value for each wanted field. This is the reader that explains what
 * is wrong; the compiled one leaves to it all that is out of the ordinary.
 *
 * @throws {PipelineError} `SAMPLE_CORRUPT`, `SCHEMA_MISMATCH`, `INT_UNSAFE` or `ARRAY_CORRUPT`.
 */
export function readFields(
  cursor: Cursor,
  typeName: string,
  fields: readonly NamedField[],
  wanted: ReadonlySet<string>,
  unknown: UnknownFields,
): unknown[] {
  const kind = peekKind(cursor);
  if (kind !== "map") throw corrupt(`it is ${say(kind)}, not a map of fields`, cursor.at);
  const values = new Array<unknown>(fields.length).fill(undefined);
  const count = readLength(cursor);
  for (let i = 0; i < count; i++) {
    const name = readKey(cursor);
    const index = fields[i]?.name === name ? i : fields.findIndex((field) => field.name === name);
    if (index < 0) {
      if (unknown === "error") throw unknownField(name, typeName, fields);
      pass(cursor);
    } else if (wanted.has(name)) {
      values[index] = readField(cursor, fields[index]!);
    } else {
      pass(cursor);
      values[index] = null;
    }
  }
  const kept: unknown[] = [];
  for (let index = 0; index < fields.length; index++) {
    const { name, optional } = fields[index]!;
    if (values[index] === undefined && !optional) {
      throw mismatch(`field "${name}" is missing`, `write it, or make it optional in ${typeName}`);
    }
    if (wanted.has(name)) kept.push(values[index] ?? null);
  }
  return kept;
}

function pass(cursor: Cursor): void {
  const next = skipValue(cursor.bytes, cursor.view, cursor.at, cursor.end);
  // What cannot be passed over cannot be read: reading it says why.
  if (next < 0) readValue(cursor);
  else cursor.at = next;
}

function readField(cursor: Cursor, { name, spec, optional }: NamedField): unknown {
  if (peekKind(cursor) === "null") {
    if (!optional)
      throw mismatch(`field "${name}" must be ${sayField(spec)}, but it is null`, "make it optional in the type");
    cursor.at++;
    return null;
  }
  return readSpec(cursor, spec, name);
}

const WIRE_KINDS: Readonly<Record<FieldSpec["kind"], readonly WireKind[]>> = {
  string: ["string"],
  int: ["int"],
  // Python writes float fields as it is given them: a whole number comes as an int, and is the same number.
  float: ["float", "int"],
  bool: ["bool"],
  bytes: ["bytes"],
  ndarray: ["bytes"],
  list: ["list"],
  dict: ["map"],
};

function readSpec(cursor: Cursor, spec: FieldSpec, name: string): unknown {
  const kind = peekKind(cursor);
  if (!WIRE_KINDS[spec.kind].includes(kind)) {
    throw mismatch(`field "${name}" must be ${sayField(spec)}, but the shard holds ${say(kind)}`);
  }
  switch (spec.kind) {
    case "int":
      return asInt(readValue(cursor) as number | bigint, spec.mode, name);
    case "float":
      return Number(readValue(cursor));
    case "ndarray":
      return readArray(cursor, spec, name);
    case "list": {
      if (spec.items === undefined) return readValue(cursor);
      const count = readLength(cursor);
      if (count > cursor.end - cursor.at)
        throw corrupt(`a list of ${count} values is longer than the sample`, cursor.at);
      const list: unknown[] = [];
      for (let i = 0; i < count; i++) list.push(readSpec(cursor, spec.items, name));
      return list;
    }
    case "dict":
      if (spec.values === undefined) return readValue(cursor);
      return readDict(cursor, spec.values, name);
    default:
      return readValue(cursor);
  }
}

function readDict(cursor: Cursor, values: FieldSpec, name: string): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  const count = readLength(cursor);
  for (let i = 0; i < count; i++) entries.push([readKey(cursor), readSpec(cursor, values, name)]);
  // fromEntries defines properties: a key __proto__ is one like any other.
  return Object.fromEntries(entries);
}

function asInt(value: number | bigint, mode: "number" | "bigint" | "auto", name: string): number | bigint {
  if (mode === "bigint") return BigInt(value);
  if (mode === "auto" || typeof value === "number") return value;
  throw new PipelineError("INT_UNSAFE", `Cannot give field "${name}" as a number: ${value} is beyond 2^53`, {
    field: name,
    hint: 'declare it as field.int("bigint"), or field.int("auto") for either',
  });
}

function readArray(cursor: Cursor, spec: Extract<FieldSpec, { kind: "ndarray" }>, name: string): NdArray {
  const length = readLength(cursor);
  const start = cursor.at;
  if (length > cursor.end - start)
    throw corrupt(`an array needs ${length} bytes, and ${cursor.end - start} are there`, start);
  cursor.at += length;
  let array: NdArray;
  try {
    array = decodeArray(cursor.bytes, start, cursor.at);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    throw new PipelineError(error.code, `${error.message} (field "${name}")`, { ...error.facts, field: name });
  }
  if (!fitsSpec(spec, array.dtype, array.shape)) {
    const shape = spec.shape === undefined ? "" : ` [${spec.shape.map((n) => n ?? "any").join(", ")}]`;
    const declared = `${spec.dtype ?? "an array"}${shape}`;
    throw mismatch(`field "${name}" must be ${declared}, but it is ${array.dtype} [${array.shape.join(", ")}]`);
  }
  return array;
}

/** Whether an array is what its field declares. */
export function fitsSpec(spec: FieldSpec, dtype: string, shape: readonly number[]): boolean {
  if (spec.kind !== "ndarray" || spec.unchecked === true) return true;
  if (spec.dtype !== undefined && spec.dtype !== dtype) return false;
  if (spec.shape === undefined) return true;
  return (
    spec.shape.length === shape.length && spec.shape.every((length, axis) => length === null || length === shape[axis])
  );
}

function unknownField(name: string, typeName: string, fields: readonly NamedField[]): PipelineError {
  const known = fields.map((field) => field.name).join(", ");
  return mismatch(
    `the shard holds a field "${name}", and ${typeName} has ${known}`,
    'add the field to the type, or pass { unknownFields: "ignore" }',
  );
}

function mismatch(
  what: string,
  hint = "use the type that the shard was written with, or read it without a type",
): PipelineError {
  return new PipelineError("SCHEMA_MISMATCH", `Cannot read a sample: ${what}`, { hint });
}

function say(kind: WireKind): string {
  const words: Readonly<Record<WireKind, string>> = {
    null: "null",
    bool: "a boolean",
    int: "a whole number",
    float: "a float",
    string: "text",
    bytes: "bytes",
    list: "a list",
    map: "a map",
  };
  return words[kind];
}

function sayField({ kind }: FieldSpec): string {
  return kind === "ndarray" ? "an array" : say(kind === "dict" ? "map" : kind);
}
