import { PipelineError } from "../errors.ts";
import { isDType } from "./dtype.ts";
import type { BytesFormat, FieldSpec } from "./field.ts";
import { describe, isPlainObject } from "./plain.ts";
import { type NamedField, SampleType } from "./sample.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Lists of lists deeper than this are no schema that anybody wrote. */
const MAX_DEPTH = 64;

const PRIMITIVES: Readonly<Record<string, FieldSpec>> = {
  str: { kind: "string" },
  // Records do not say how large the numbers are, so none may be an error.
  int: { kind: "int", mode: "auto" },
  float: { kind: "float" },
  bool: { kind: "bool" },
  bytes: { kind: "bytes" },
};
const FORMATS: readonly string[] = [
  "structured",
  "sparse",
  "arrow_tensor",
  "safetensors",
  "dataframe",
] satisfies BytesFormat[];

/**
 * The sample type that a schema record of atdata's index describes. Whole numbers are read as `number | bigint`; dtypes and
 * shapes of arrays are not checked, as Python writes them without looking; sparse matrices, data frames and their like stay
 * bytes. `type.toJSON()` gives an equal record again, but for `createdAt`.
 *
 * @example
 * ```ts
 * const Word = sampleTypeOf({ name: "Word", fields: [{ name: "text", fieldType: { $type: "local#primitive" } }] });
 * Word.parse({ text: "one" });
 * ```
 * @throws {PipelineError} `SCHEMA_INVALID`, naming the field and what about it cannot be understood.
 */
export function sampleTypeOf(record: unknown): SampleType<Record<string, unknown>> {
  if (!isPlainObject(record)) throw invalid("a schema record", `it must be an object, not ${describe(record)}`);
  const { name, version, fields, description } = record;
  if (typeof name !== "string") throw invalid("a schema record", `its name must be text, not ${describe(name)}`);
  const what = `schema "${name}"`;
  const format = record.atdataSchemaVersion ?? record.$atdataSchemaVersion ?? 1;
  if (format !== 1)
    throw invalid(what, `it is of format ${String(format)}, and 1 is the last known`, "look for a newer shardstream");
  if (record.schemaType !== undefined) {
    throw invalid(what, `it is an ATProto record of type ${describe(record.schemaType)}, not one of a local index`);
  }
  if (version !== undefined && typeof version !== "string")
    throw invalid(what, `its version must be text, not ${describe(version)}`);
  if (!Array.isArray(fields)) throw invalid(what, `its fields must be a list, not ${describe(fields)}`);
  const named = fields.map((field: unknown, index) => fieldOf(field, index, what));
  try {
    return new SampleType(name, named, {
      ...(version === undefined ? {} : { version }),
      ...(typeof description === "string" ? { description } : {}),
    });
  } catch (cause) {
    const { message } = cause as TypeError;
    throw invalid(
      what,
      message.replace(`Cannot define "${name}": `, "").replace("Cannot define a sample type: ", ""),
      "correct the record and store it again",
      {
        cause,
      },
    );
  }
}

function fieldOf(field: unknown, index: number, what: string): NamedField {
  if (!isPlainObject(field)) throw invalid(what, `field number ${index} must be an object, not ${describe(field)}`);
  const { name, fieldType, optional = false } = field;
  if (typeof name !== "string")
    throw invalid(what, `the name of field number ${index} must be text, not ${describe(name)}`);
  const place = `field "${name}" of ${what}`;
  if (typeof optional !== "boolean")
    throw invalid(place, `"optional" must be true or false, not ${describe(optional)}`);
  return { name, optional, spec: specOf(fieldType, place, 0) };
}

function specOf(type: unknown, place: string, depth: number): FieldSpec {
  if (!isPlainObject(type)) throw invalid(place, `its type must be an object, not ${describe(type)}`);
  if (depth > MAX_DEPTH) throw invalid(place, `its types are nested more than ${MAX_DEPTH} deep`);
  const kind = kindOf(type, place);
  const inner = (key: string): FieldSpec | undefined =>
    type[key] === undefined ? undefined : specOf(type[key], place, depth + 1);
  switch (kind) {
    case "primitive": {
      const primitive = type.primitive ?? "str";
      if (typeof primitive === "string" && Object.hasOwn(PRIMITIVES, primitive)) return PRIMITIVES[primitive]!;
      throw invalid(
        place,
        `there is no simple type ${describe(primitive)}`,
        `use ${Object.keys(PRIMITIVES).join(", ")}`,
      );
    }
    case "ndarray":
      return arrayOf(type, place);
    case "array":
      return { kind: "list", items: inner("items") };
    case "dict":
      return { kind: "dict", values: inner("values") };
    case "ref":
      throw invalid(
        place,
        `it refers to another schema, ${describe(type.ref)}`,
        "put the fields of that schema in its place",
      );
  }
  if (FORMATS.includes(kind)) return { kind: "bytes", format: kind as BytesFormat };
  throw invalid(
    place,
    `there is no kind of field "${kind}"`,
    `use primitive, ndarray, array, dict, ${FORMATS.join(", ")}`,
  );
}

function kindOf({ $type, kind }: JsonObject, place: string): string {
  if ($type === undefined && typeof kind === "string") return kind;
  if (typeof $type === "string" && $type.includes("#")) return $type.slice($type.lastIndexOf("#") + 1);
  throw invalid(place, `its $type must be like "local#primitive", not ${describe($type)}`);
}

function arrayOf({ dtype, shape }: JsonObject, place: string): FieldSpec {
  const known = typeof dtype === "string" && isDType(dtype) ? dtype : undefined;
  if (shape === undefined || shape === null) return { kind: "ndarray", dtype: known, unchecked: true };
  const fits = (length: unknown): boolean =>
    length === null || (Number.isSafeInteger(length) && (length as number) >= 0);
  if (Array.isArray(shape) && shape.every(fits)) return { kind: "ndarray", dtype: known, shape, unchecked: true };
  throw invalid(place, `its shape must be a list of whole numbers >= 0 and nulls, not ${JSON.stringify(shape)}`);
}

function invalid(
  what: string,
  problem: string,
  hint = "look at the record",
  facts: { cause?: unknown } = {},
): PipelineError {
  return new PipelineError("SCHEMA_INVALID", `Cannot use ${what}: ${problem}`, { hint, ...facts });
}
