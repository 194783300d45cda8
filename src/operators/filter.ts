import { misuse } from "../errors.ts";
import { Operator } from "../streams/operator.ts";
import { rowStage, type SampleInfo } from "../streams/rows.ts";

/**
 * Keeps the samples for which a function says true. Where a condition on fields will do, `where` is faster.
 *
 * @example
 * ```ts
 * await fromArray([1, 2, 3, 4]).filter((n) => n % 2 === 0).toArray(); // [2, 4]
 * ```
 */
export function filter<T>(keep: (sample: T, info: SampleInfo) => boolean): Operator<T, T> {
  if (typeof keep !== "function")
    throw misuse(new TypeError(`Cannot filter: keep must be a function, not ${typeof keep}`));
  return new Operator({
    name: "filter",
    drops: true,
    open: (context) =>
      rowStage(context, "filter", (rows, at, out) => {
        for (; at.row < rows.length; at.row++) {
          const sample = rows[at.row];
          const kept: unknown = keep(sample as T, at);
          if (kept instanceof Promise) {
            kept.catch(() => {});
            throw misuse(new TypeError("the function returned a promise, and a filter does not wait: use flatMap"));
          }
          if (!kept) continue;
          out.rows.push(sample);
          out.from.push(at.row);
        }
      }),
  });
}
