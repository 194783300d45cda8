import type { Executor } from "./executor.ts";
import { decodingOf, type Plan } from "./plan.ts";
import type { Permute } from "./source.ts";
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
  /** The same of each dataset that the source combines; empty where it combines none. */
  readonly inputs: readonly Explanation[];
  toString(): string;
}

/** Tells how a plan will be run. */
export function explainPlan(plan: AnyPlan, executor?: Executor): Explanation {
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
  operators.forEach(({ name, role, works = "rows", shuffle, permute }, nth) => {
    if (decoding?.at === nth) steps.push(decodeStep(plan));
    const encoded = decoding !== undefined && nth < decoding.at;
    const batchAt = operators.findIndex((spec) => spec.role === "batch");
    const columns = decoding?.layout === "columns" && nth <= batchAt && works !== "rows";
    steps.push({
      name,
      on: encoded ? "records" : columns ? "columns" : "rows",
      note: [
        shuffle &&
          `blocks of ${shuffle.window} samples in an order made from seed ${shuffle.seed} and ${epochOf(plan)}`,
        permute && permuteNote(permute, plan),
        role === "count" && "items are counted from here on",
        split && (nth < split.length ? `on ${executor!.name}` : `here, as ${pinned(nth)}`),
      ]
        .filter(Boolean)
        .join("; "),
      ...(split && { pinned: pinned(nth) }),
    });
  });
  if (decoding?.at === operators.length) steps.push(decodeStep(plan));
  const inputs = (source.inputs ?? []).map((input) => explainPlan(input));
  return { source: source.name, steps, inputs, toString: () => table(source.name, steps, inputs) };
}

/** A plan, or one that takes its epoch from the pass it is an input of. */
type AnyPlan = Omit<Plan, "epoch"> & { readonly epoch: number | undefined };

const epochOf = ({ epoch }: AnyPlan): string => (epoch === undefined ? "the epoch" : `epoch ${epoch}`);

function permuteNote({ seed, blockBytes }: Permute, plan: AnyPlan): string {
  const { source } = plan;
  const by = `an order made from seed ${seed} and ${epochOf(plan)}`;
  if (blockBytes === undefined) return `${source.name} are read in ${by}: nothing is left to do`;
  return `${source.name} are read in blocks of ${blockBytes} bytes in ${by}: nothing is left to do`;
}

function decodeStep(plan: AnyPlan): ExplainedStep {
  const { layout, fields, batch } = decodingOf(plan)!;
  const { type } = plan.source;
  const all = type?.fields.length ?? 0;
  const what =
    type === undefined ? "untyped samples" : fields.length === all ? `all ${all} fields` : `only ${fields.join(", ")}`;
  const how =
    layout === "rows" ? "as objects" : batch === undefined ? "as columns" : `into columns of ${batch.size} rows`;
  return {
    name: "decode",
    on: "records",
    note: `${what}, ${how}${batch?.recycle ? ", whose memory is used again" : ""}`,
  };
}

function table(source: string, steps: readonly ExplainedStep[], inputs: readonly Explanation[]): string {
  const rows = [{ name: source, on: "", note: "" }, ...steps];
  const widths = [
    Math.max(...rows.map((row) => row.name.length)),
    Math.max(...rows.map((row) => row.on.length)),
  ] as const;
  const lines = rows.map(({ name, on, note }) =>
    `${name.padEnd(widths[0])}  ${on.padEnd(widths[1])}  ${note}`.trimEnd(),
  );
  const inside = inputs.flatMap((input) => String(input).split("\n")).map((line) => `  ${line}`);
  return [lines[0], ...inside, ...lines.slice(1)].join("\n");
}
