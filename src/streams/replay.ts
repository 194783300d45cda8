import { pick } from "./chunk.ts";
import type { OperatorSpec, Stage } from "./operator.ts";

/** What of a sample had failed: output `part` of it, at stage `at` of the plan, after `given` outputs had been handed on. */
export interface FailedPart {
  readonly at: number;
  readonly part: number;
  readonly given: number;
}

/**
 * The operators of a plan for samples that failed in it. They come in the order of the quarantine, all of them: what orders
 * and counts items lets them through. Behind a `flatMap` only those outputs go on that had failed.
 *
 * @param decodeAt How many operators stand before the decoding; absent where there is none.
 */
export function operatorsOfReplay(
  operators: readonly OperatorSpec[],
  decodeAt: number | undefined,
  failedAt: (position: number) => FailedPart | undefined,
): OperatorSpec[] {
  const batchAt = operators.findIndex(({ role }) => role === "batch");
  const placeOf = (nth: number): number =>
    operators.slice(0, nth).filter(({ tuning }) => tuning !== true).length +
    (decodeAt !== undefined && nth >= decodeAt ? 1 : 0);
  const lastPlace = batchAt < 0 ? Number.POSITIVE_INFINITY : placeOf(batchAt);
  const lastFlat = operators.findLastIndex(({ role }) => role === "flat");
  let isFlat = false;
  return operators.map((spec, nth) => {
    const { name, role, works = "rows", permute } = spec;
    if (role === "shuffle" || role === "count" || permute !== undefined)
      return { name, works, open: () => (chunks) => chunks };
    const at = placeOf(nth);
    if (at > lastPlace || (!isFlat && role !== "flat")) return spec;
    const before = isFlat;
    isFlat = true;
    return {
      ...spec,
      open: (context) => {
        const stage = spec.open(context);
        // What failed behind a batch were the samples in it.
        const only = keepRows((position, part) => {
          const failed = failedAt(position);
          return failed === undefined || Math.min(failed.at, lastPlace) !== at || failed.part === part;
        });
        const rest = keepRows((position, part) => {
          const failed = failedAt(position);
          if (failed === undefined) return true;
          if (failed.at === at) return part >= failed.given;
          // The stage that failed is not in the mended plan.
          return nth !== lastFlat || failed.at <= placeOf(operators.length - 1) || failed.part === part;
        });
        return (chunks) => {
          const out = stage(before ? only(chunks) : chunks);
          return role === "flat" ? rest(out) : out;
        };
      },
    };
  });
}

function keepRows(keeps: (position: number, part: number) => boolean): Stage {
  return async function* (chunks) {
    for await (const chunk of chunks) {
      const { trace, length } = chunk;
      const rows = Array.from({ length }, (_, row) => row).filter((row) => keeps(trace.position(row), trace.part(row)));
      if (rows.length === length) yield chunk;
      else if (rows.length > 0) yield pick(chunk, Int32Array.from(rows));
    }
  };
}
