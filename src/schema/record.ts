import type { BytesFormat, FieldSpec } from "./field.ts";
import type { SampleType } from "./sample.ts";

/** Names that atdata gives to its simple types. */
export type PrimitiveName = "str" | "int" | "float" | "bool" | "bytes";

/** What a field holds, as a schema record says it. Maps (`local#dict`) are known to shardstream only. */
export type FieldTypeRecord =
  | { readonly $type: "local#primitive"; readonly primitive: PrimitiveName }
  | { readonly $type: "local#ndarray"; readonly dtype: string; readonly shape?: readonly (number | null)[] }
  | { readonly $type: "local#array"; readonly items?: FieldTypeRecord }
  | { readonly $type: "local#dict"; readonly values?: FieldTypeRecord }
  | { readonly $type: `local#${BytesFormat}` };

/** One field of a {@link SchemaRecord}. */
export interface FieldRecord {
  readonly name: string;
  readonly fieldType: FieldTypeRecord;
  readonly optional: boolean;
}

/** A sample type as atdata keeps it in an index, without `createdAt`: plain JSON with its keys in this order. */
export interface SchemaRecord {
  readonly name: string;
  readonly version: string;
  readonly fields: readonly FieldRecord[];
  readonly description: string | null;
}

/**
 * The record of a sample type.
 *
 * @example
 * ```ts
 * schemaRecord(defineSample("Word", { text: field.string() })).fields;
 * // [{ name: "text", fieldType: { $type: "local#primitive", primitive: "str" }, optional: false }]
 * ```
 */
export function schemaRecord(type: Pick<SampleType, "name" | "version" | "fields" | "description">): SchemaRecord {
  const { name, version, fields, description } = type;
  return {
    name,
    version,
    fields: fields.map(({ name, spec, optional }) => ({ name, fieldType: fieldTypeRecord(spec), optional })),
    description,
  };
}

const primitive = (name: PrimitiveName): FieldTypeRecord => ({ $type: "local#primitive", primitive: name });

function fieldTypeRecord(spec: FieldSpec): FieldTypeRecord {
  switch (spec.kind) {
    case "string":
      return primitive("str");
    case "int":
    case "float":
    case "bool":
      return primitive(spec.kind);
    case "bytes":
      return spec.format === undefined ? primitive("bytes") : { $type: `local#${spec.format}` };
    case "ndarray": {
      // atdata, too, writes float32 for an array of any dtype.
      const record: FieldTypeRecord = { $type: "local#ndarray", dtype: spec.dtype ?? "float32" };
      return spec.shape === undefined ? record : { ...record, shape: spec.shape };
    }
    case "list":
      return { $type: "local#array", ...(spec.items === undefined ? {} : { items: fieldTypeRecord(spec.items) }) };
    case "dict":
      return { $type: "local#dict", ...(spec.values === undefined ? {} : { values: fieldTypeRecord(spec.values) }) };
  }
}
