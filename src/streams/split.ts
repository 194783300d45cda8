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
export function splitPlan({ source, operators }: Plan): Split {
  if (source.address === undefined)
    return { length: 0, pinned: `${source.name} reads what is in this thread's memory` };
  const next = operators.findIndex((spec) => spec.address === undefined);
  if (next < 0) return { length: operators.length, pinned: undefined };
  return { length: next, pinned: reasonOf(operators[next]!) };
}

function reasonOf({ name, role }: OperatorSpec): string {
  if (role === "shuffle") return "it orders the samples of all threads";
  if (role === "batch") return "it joins samples of all threads";
  if (role === "count") return "it counts samples of all threads";
  return ["map", "filter", "flatMap", "tap"].includes(name) ? "it is a closure, and no task" : "it has no address";
}
