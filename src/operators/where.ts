import { fieldOf } from "../codec/dict-sample.ts";
import { bind, fieldsOf, type Predicate, type PredicateBuilder, predicate } from "../manifest/predicate.ts";
import { type Chunk, pick } from "../streams/chunk.ts";
import { type Json, Operator } from "../streams/operator.ts";
import { eachRow } from "../streams/rows.ts";

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
    works: "columns",
    reads: fields,
    options: asJson(test),
    typeOf(type) {
      for (const name of fields) {
        if (type !== undefined && !type.fields.some((field) => field.name === name)) {
          const known = type.fields.map((field) => field.name).join(", ");
          throw new TypeError(`Cannot test "${name}" of ${type.name}: it has the fields ${known}`);
        }
      }
      return type;
    },
    open: (context) =>
      async function* (chunks) {
        for await (const chunk of chunks) {
          if (chunk.kind === "rows") {
            // Rows may be anything: what fails at one of them is a fault like any other.
            const rows = chunk.rows;
            const holds = bind(test, (field) => (row) => fieldOf(rows[row], field));
            yield* eachRow(chunk, context, "where", (sample, _info, row, out) => {
              if (!holds(row)) return;
              out.rows.push(sample);
              out.from.push(row);
            });
            continue;
          }
          const holds = bind(test, (field) => valueIn(chunk, field));
          const kept: number[] = [];
          for (let row = 0; row < chunk.length; row++) if (holds(row)) kept.push(row);
          if (kept.length === chunk.length) yield chunk;
          else if (kept.length > 0) yield pick(chunk, Int32Array.from(kept));
        }
      },
  });
}

function valueIn(chunk: Chunk, field: string): (row: number) => unknown {
  if (chunk.kind !== "columns") throw new TypeError("Cannot test samples that are not decoded");
  const { columns, picked } = chunk;
  const index = columns.indexOf(field);
  return picked === undefined ? (row) => columns.value(index, row) : (row) => columns.value(index, picked[row]!);
}

const asJson = (test: Predicate): Json =>
  JSON.parse(JSON.stringify(test, (_, value) => (typeof value === "bigint" ? `${value}n` : value))) as Json;
