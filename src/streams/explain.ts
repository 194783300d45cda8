import type { Executor } from "./executor.ts";
import { decodingOf, type Plan } from "./plan.ts";
import { splitPlan } from "./split.ts";

/** A step of a run. */
export interface ExplainedStep {
  readonly name: string;
  /** What it works on: encoded samples, columns, or objects. */
  readonly on: "records" | "columns" | "rows";
  /** What the engine does about it, in words; empty where there is nothing to say. */
  readonly note: string;
  /** With an executor: why it stays on the calling thread; undefined where it does not. */
  readonly pinned?: string | undefined;
}

/** What a run will do: its steps in order. `String(explanation)` is a table for people. */
export interface Explanation {
  readonly source: string;
  readonly steps: readonly ExplainedStep[];
  toString(): string;
}

/** Tells how a plan will be run. */
export function explainPlan(plan: Plan, executor?: Executor): Explanation {
  const { source, operators } = plan;
  const split = executor && splitPlan(plan);
  /** Why an operator stays here. */
  const pinned = (nth: number): string | undefined => {
    if (split === undefined || nth < split.length) return undefined;
    if (nth === split.length || source.address === undefined) return split.pinned;
    return `it stands behind ${operators[split.length]!.name}`;
  };
  const decoding = decodingOf(plan);
  const steps: ExplainedStep[] = [];
  operators.forEach(({ name, role, works = "rows", shuffle }, nth) => {
    if (decoding?.at === nth) steps.push(decodeStep(plan));
    const encoded = decoding !== undefined && nth < decoding.at;
    const batchAt = operators.findIndex((spec) => spec.role === "batch");
    const columns = decoding?.layout === "columns" && nth <= batchAt && works !== "rows";
    steps.push({
      name,
      on: encoded ? "records" : columns ? "columns" : "rows",
      note: [
        shuffle &&
          `blocks of ${shuffle.window} samples in an order made from seed ${shuffle.seed} and epoch ${plan.epoch}`,
        role === "count" && "items are counted from here on",
        split && (nth < split.length ? `on ${executor!.name}` : `here, as ${pinned(nth)}`),
      ]
        .filter(Boolean)
        .join("; "),
      ...(split && { pinned: pinned(nth) }),
    });
  });
  if (decoding?.at === operators.length) steps.push(decodeStep(plan));
  return { source: source.name, steps, toString: () => table(source.name, steps) };
}

function decodeStep(plan: Plan): ExplainedStep {
  const { layout, fields, size, recycle } = decodingOf(plan)!;
  const { type } = plan.source;
  const all = type?.fields.length ?? 0;
  const what =
    type === undefined ? "untyped samples" : fields.length === all ? `all ${all} fields` : `only ${fields.join(", ")}`;
  const how = layout === "rows" ? "as objects" : size === undefined ? "as columns" : `into columns of ${size} rows`;
  return { name: "decode", on: "records", note: `${what}, ${how}${recycle ? ", whose memory is used again" : ""}` };
}

function table(source: string, steps: readonly ExplainedStep[]): string {
  const rows = [{ name: source, on: "", note: "" }, ...steps];
  const widths = [
    Math.max(...rows.map((row) => row.name.length)),
    Math.max(...rows.map((row) => row.on.length)),
  ] as const;
  return rows
    .map(({ name, on, note }) => `${name.padEnd(widths[0])}  ${on.padEnd(widths[1])}  ${note}`.trimEnd())
    .join("\n");
}
