import { type SampleTypeJson, typeFromJson } from "../schema/type-json.ts";
import type { Operator, OperatorAddress } from "../streams/operator.ts";
import type { Task } from "../streams/task.ts";
import { filter } from "./filter.ts";
import { flatMap } from "./flat-map.ts";
import { map } from "./map.ts";
import { select } from "./select.ts";
import { type ShuffleOptions, shuffle } from "./shuffle.ts";
import { whereAt } from "./where.ts";

interface WorkOptions {
  readonly type: SampleTypeJson | null;
  readonly concurrency: number;
}

/** The operator at an address, with its task, where it has one: see {@link OperatorSpec.address}. */
export function operatorAt(
  name: string,
  { options }: OperatorAddress,
  task: Task | undefined,
): Operator<never, unknown> {
  const { type: given, ...rest } = (options ?? {}) as unknown as WorkOptions;
  const type = given ? typeFromJson(given) : undefined;
  switch (name) {
    case "map":
      return map(task!, { ...rest, type });
    case "filter":
      return filter(task as Task<never, boolean>);
    case "flatMap":
      return flatMap(task as Task<never, Iterable<unknown>>, { type });
    case "select":
      return select(...(options as readonly never[]));
    case "shuffle":
      return shuffle(options as ShuffleOptions);
    case "where":
      return whereAt(options);
    default:
      throw new TypeError(`Cannot open an operator: none is called "${name}"`);
  }
}
