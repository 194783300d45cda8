import type { SchemaRecord } from "../index.ts";
import type { FieldRecord, FieldTypeRecord, PrimitiveName } from "../schema/record.ts";
import type { FieldStatistics, Kind } from "./statistics.ts";

const PRIMITIVES: Partial<Record<Kind, PrimitiveName>> = {
  bool: "bool",
  int: "int",
  float: "float",
  string: "str",
  bytes: "bytes",
  null: "str",
};

/** The dtypes that a schema record can name. */
const NAMED = /^(bool|u?int(8|16|32|64)|float(16|32|64)|complex(64|128))$/;

/** A schema record that fits all samples, from what they hold; undefined if a field holds values of different kinds. */
export function inferSchema(fields: ReadonlyMap<string, FieldStatistics>, samples: number): SchemaRecord | undefined {
  const records: FieldRecord[] = [];
  for (const [name, field] of fields) {
    const fieldType = typeOfField(field);
    if (fieldType === undefined) return undefined;
    records.push({ name, fieldType, optional: field.nulls > 0 || field.count < samples });
  }
  return records.length === 0 ? undefined : { name: "Sample", version: "1.0.0", fields: records, description: null };
}

function typeOfField({ kinds, form, itemKinds }: FieldStatistics): FieldTypeRecord | undefined {
  const kind = commonKind(kinds);
  switch (kind) {
    case undefined:
      return undefined;
    case "ndarray": {
      // float32 is what atdata, too, writes for arrays of any dtype.
      const dtype = form?.dtype != null && NAMED.test(form.dtype) ? form.dtype : "float32";
      const record = { $type: "local#ndarray", dtype } as const;
      return form?.shape ? { ...record, shape: form.shape } : record;
    }
    case "list": {
      const item = commonKind([...itemKinds]);
      const primitive = item === "null" ? undefined : PRIMITIVES[item ?? "null"];
      return {
        $type: "local#array",
        ...(item !== undefined && primitive !== undefined && { items: simple(primitive) }),
      };
    }
    case "map":
      return { $type: "local#dict" };
    default:
      return simple(PRIMITIVES[kind]!);
  }
}

const simple = (primitive: PrimitiveName): FieldTypeRecord => ({ $type: "local#primitive", primitive });

/** One kind for all; `null` where there is nothing else. */
function commonKind(kinds: readonly Kind[]): Kind | undefined {
  const [first = "null", ...others] = kinds;
  if (others.length === 0) return first;
  return kinds.every((kind) => kind === "int" || kind === "float") ? "float" : undefined;
}
