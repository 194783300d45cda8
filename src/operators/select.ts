import { fieldOf } from "../codec/dict-sample.ts";
import { misuse } from "../errors.ts";
import { setField } from "../schema/columns.ts";
import { Operator } from "../streams/operator.ts";
import { rowStage } from "../streams/rows.ts";

/**
 * Keeps only some fields of each sample. Right behind a source, the others are not even decoded.
 *
 * @throws {TypeError} If the type of the samples is known and has no such field.
 * @example
 * ```ts
 * await fromArray([{ label: "cat", score: 1 }]).select("label").toArray(); // [{ label: "cat" }]
 * ```
 */
export function select<T, K extends keyof T & string>(...fields: readonly K[]): Operator<T, Pick<T, K>> {
  if (fields.length === 0) throw misuse(new TypeError("Cannot select no field at all"));
  return new Operator({
    name: "select",
    oneToOne: true,
    works: "columns",
    selects: fields,
    options: fields,
    address: { options: fields },
    typeOf: (type) => type?.pick(...fields),
    open: (context) =>
      rowStage(
        context,
        "select",
        (rows, at, out) => {
          for (; at.row < rows.length; at.row++) out.rows.push(only(rows[at.row], fields));
        },
        // Columns are looked at by name: those that nobody names are in nobody's way.
        (chunk) => ({ ...chunk, columns: chunk.columns.only(fields) }),
      ),
  });
}

function only(sample: unknown, fields: readonly string[]): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of fields) setField(kept, name, fieldOf(sample, name));
  return kept;
}
