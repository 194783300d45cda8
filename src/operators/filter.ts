import { misuse } from "../errors.ts";
import { Operator, type Stage, type StageContext } from "../streams/operator.ts";
import { rowStage } from "../streams/rows.ts";
import { fingerprintOfTask, type TaskFunction, taskOf, taskStage, type Work } from "../streams/task.ts";

/**
 * Keeps the samples for which a function, or a task, says true. Where a condition on fields will do, `where` is faster.
 *
 * @example
 * ```ts
 * await fromArray([1, 2, 3, 4]).filter((n) => n % 2 === 0).toArray(); // [2, 4]
 * ```
 */
export function filter<T>(keep: Work<T, boolean>): Operator<T, T> {
  const task = taskOf("filter", keep);
  if (task === undefined) {
    return new Operator({
      name: "filter",
      drops: true,
      open: (context) => filterStage(context, keep as TaskFunction<unknown, boolean>),
    });
  }
  return new Operator({
    name: "filter",
    drops: true,
    options: fingerprintOfTask(task),
    address: { options: null, task: task.address },
    open: (context) => taskStage(task, (run) => filterStage(context, run)),
  });
}

function filterStage(context: StageContext, keep: TaskFunction<unknown, unknown>): Stage {
  return rowStage(context, "filter", (rows, at, out) => {
    for (; at.row < rows.length; at.row++) {
      const sample = rows[at.row];
      const kept = keep(sample, at);
      if (kept instanceof Promise) {
        kept.catch(() => {});
        throw misuse(new TypeError("the function returned a promise, and a filter does not wait: use flatMap"));
      }
      if (!kept) continue;
      out.rows.push(sample);
      out.from.push(at.row);
    }
  });
}
