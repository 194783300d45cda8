import { Operator } from "../streams/operator.ts";
import { eachRow, type SampleInfo } from "../streams/rows.ts";

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
  if (typeof look !== "function") throw new TypeError(`Cannot tap: look must be a function, not ${typeof look}`);
  return new Operator({
    name: "tap",
    open: (context) =>
      async function* (chunks) {
        for await (const chunk of chunks) {
          yield* eachRow(chunk, context, "tap", (sample, info, _row, out) => {
            const result: unknown = look(sample as T, info);
            if (result instanceof Promise) {
              result.catch(() => {});
              throw new TypeError("the function returned a promise, and a tap does not wait: use map");
            }
            out.rows.push(sample);
          });
        }
      },
  });
}
