import { fieldOf } from "../codec/dict-sample.ts";
import { misuse } from "../errors.ts";
import { bind, fieldsOf, type Predicate, type PredicateBuilder, predicate } from "../manifest/predicate.ts";
import { type ColumnChunk, pickColumns } from "../streams/chunk.ts";
import { type Json, Operator } from "../streams/operator.ts";
import { rowStage } from "../streams/rows.ts";

/**
 * Keeps the samples for which a condition on their fields holds. The condition is data, so that the engine can look at the
 * fields it needs and at nothing else.
 *
 * @throws {TypeError} If the type of the samples is known and has no such field.
 * @example
 * ```ts
 * await fromArray([{ label: "cat" }, { label: "dog" }]).where((photo) => photo.label.eq("cat")).toArray(); // [{ label: "cat" }]
 * ```
 */
export function where<T>(condition: Predicate | PredicateBuilder<T>): Operator<T, T> {
  const test = predicate(condition);
  const fields = fieldsOf(test);
  return new Operator({
    name: "where",
    drops: true,
    works: "columns",
    reads: fields,
    options: asJson(test),
    address: { options: portable(test) },
    typeOf(type) {
      for (const name of fields) {
        if (type !== undefined && !type.fields.some((field) => field.name === name)) {
          const known = type.fields.map((field) => field.name).join(", ");
          throw misuse(new TypeError(`Cannot test "${name}" of ${type.name}: it has the fields ${known}`));
        }
      }
      return type;
    },
    open: (context) =>
      rowStage(
        context,
        "where",
        (rows, at, out) => {
          // Rows may be anything: what fails at one of them is a fault like any other.
          const holds = bind(test, (field) => (row) => fieldOf(rows[row], field));
          for (; at.row < rows.length; at.row++) {
            if (!holds(at.row)) continue;
            out.rows.push(rows[at.row]);
            out.from.push(at.row);
          }
        },
        (chunk) => {
          const holds = bind(test, (field) => valueIn(chunk, field));
          const kept: number[] = [];
          for (let row = 0; row < chunk.length; row++) if (holds(row)) kept.push(row);
          return kept.length === chunk.length ? chunk : pickColumns(chunk, Int32Array.from(kept));
        },
      ),
  });
}

function valueIn({ columns, picked }: ColumnChunk, field: string): (row: number) => unknown {
  const index = columns.indexOf(field);
  return picked === undefined ? (row) => columns.value(index, row) : (row) => columns.value(index, picked[row]!);
}

/** As JSON that {@link whereAt} reads: a bigint stays apart from its text. */
const portable = (test: Predicate): Json =>
  JSON.parse(JSON.stringify(test, (_, value) => (typeof value === "bigint" ? { bigint: `${value}` } : value))) as Json;

/** The operator at an address. */
export function whereAt(options: Json): Operator<unknown, unknown> {
  const isBigint = (value: unknown): value is { bigint: string } =>
    typeof value === "object" && value !== null && "bigint" in value;
  const test = JSON.parse(JSON.stringify(options), (_, value) => (isBigint(value) ? BigInt(value.bigint) : value));
  return where<unknown>(test as Predicate);
}

const asJson = (test: Predicate): Json =>
  JSON.parse(JSON.stringify(test, (_, value) => (typeof value === "bigint" ? `${value}n` : value))) as Json;
