import { misuse } from "../errors.ts";
import { Operator } from "../streams/operator.ts";
import { rowStage, type SampleInfo } from "../streams/rows.ts";

/**
 * Looks at each sample as it passes, for counting or logging.
 *
 * @example
 * ```ts
 * let seen = 0;
 * await fromArray(["a", "b"]).tap(() => seen++).toArray();
 * seen; // 2
 * ```
 */
export function tap<T>(look: (sample: T, info: SampleInfo) => void): Operator<T, T> {
  if (typeof look !== "function")
    throw misuse(new TypeError(`Cannot tap: look must be a function, not ${typeof look}`));
  return new Operator({
    name: "tap",
    open: (context) =>
      rowStage(context, "tap", (rows, at, out) => {
        out.unchanged = true;
        for (; at.row < rows.length; at.row++) {
          const result: unknown = look(rows[at.row] as T, at);
          if (result instanceof Promise) {
            result.catch(() => {});
            throw misuse(new TypeError("the function returned a promise, and a tap does not wait: use map"));
          }
        }
      }),
  });
}
