import { raggedError } from "../schema/array-column.ts";
import { NdArray } from "../schema/ndarray.ts";
import type { AnySampleType } from "../schema/sample.ts";

/**
 * One field of samples that are objects, as a column. A known type decides what kind of column it is; else the values do.
 */
export function collate(
  rows: readonly unknown[],
  name: string,
  type: AnySampleType | undefined,
  ragged: "error" | "list",
): unknown {
  const field = type?.fields.find((f) => f.name === name);
  if (type !== undefined && field === undefined) {
    throw new TypeError(
      `Cannot give column "${name}": the samples have the fields ${type.fields.map((f) => f.name).join(", ")}`,
    );
  }
  const values = rows.map((row) => valueIn(row, name));
  if (field?.optional === true || values.length === 0) return values;
  const kind = field?.spec.kind ?? kindOf(values);
  switch (kind) {
    case "ndarray":
      return ragged === "list" ? values : stack(name, values as NdArray[]);
    case "bool":
      return Uint8Array.from(values as boolean[], Number);
    case "float":
      return Float64Array.from(values as number[]);
    case "int":
      return field?.spec.kind === "int" && field.spec.mode !== "number"
        ? values
        : Float64Array.from(values as number[]);
    default:
      return values;
  }
}

/** A field of an object, or of anything that gives its fields by name. */
function valueIn(row: unknown, name: string): unknown {
  if (typeof row !== "object" || row === null) {
    throw new TypeError(`Cannot give column "${name}": the batch holds ${typeof row}s, not samples`);
  }
  return Symbol.iterator in row && "get" in row && typeof row.get === "function"
    ? row.get(name)
    : (row as Record<string, unknown>)[name];
}

function kindOf(values: readonly unknown[]): "ndarray" | "bool" | "float" | "list" {
  if (values.every((value) => typeof value === "number")) return "float";
  if (values.every((value) => typeof value === "boolean")) return "bool";
  return values.every((value) => value instanceof NdArray) ? "ndarray" : "list";
}

function stack(name: string, arrays: readonly NdArray[]): NdArray {
  const describe = ({ dtype, shape }: NdArray): string => `${dtype} [${shape.join(", ")}]`;
  const [first] = arrays as [NdArray];
  const other = arrays.find((array) => describe(array) !== describe(first));
  if (other !== undefined) throw raggedError(name, describe(first), describe(other));
  return NdArray.stack(arrays);
}
