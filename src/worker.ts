import type { LaneOrder, WorkOrder } from "./execution/messages.ts";
import { runLane } from "./execution/run-lane.ts";
import { runWork } from "./execution/run-work.ts";
import { Thread } from "./execution/thread.ts";
import { convertShard, type ShardUnit } from "./jobs/convert-shard.ts";
import { operatorAt } from "./operators/operator-at.ts";
import { sourceAt } from "./sources/source-at.ts";

Thread.markThisOne();

/** What a thread of `threads()` runs: all that a lane may be made of is put together here, as in `dataset.ts`. */
export function lane(order: LaneOrder): Promise<void> {
  return runLane(order, { sourceAt, operatorAt });
}

/** The same for whole pieces of work. */
export function work(order: WorkOrder): Promise<void> {
  return runWork(order, { convertShard: (unit, context) => convertShard(unit as ShardUnit, context) });
}
