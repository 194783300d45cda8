import type { OperatorSpec } from "./operator.ts";
import type { Plan } from "./plan.ts";

/** How a plan is parted between an executor and the calling thread. */
export interface Split {
  /** How many of the operators belong to the lanes; with none, all is done by the calling thread. */
  readonly length: number;
  /** Why the next one does not, in words; undefined where all do. */
  readonly pinned: string | undefined;
}

/** A lane is the source and the leading operators that can be found elsewhere. */
export function splitPlan({ source, operators }: Omit<Plan, "epoch">): Split {
  if (source.address === undefined) return { length: 0, pinned: `${source.name} cannot be opened on another thread` };
  const found = operators.findIndex((spec) => spec.address === undefined);
  const next = found < 0 ? operators.length : found;
  // What the source does itself is no work for a lane.
  if (operators.slice(0, next).every((spec) => spec.permute !== undefined)) {
    return { length: 0, pinned: next === operators.length ? undefined : reasonOf(operators[next]!) };
  }
  if (found < 0) return { length: next, pinned: undefined };
  return { length: next, pinned: reasonOf(operators[next]!) };
}

function reasonOf({ name, role }: OperatorSpec): string {
  if (role === "shuffle") return "it orders the samples of all threads";
  if (role === "batch") return "it joins samples of all threads";
  if (role === "count") return "it counts samples of all threads";
  return ["map", "filter", "flatMap", "tap"].includes(name) ? "it is a closure, and no task" : "it has no address";
}
