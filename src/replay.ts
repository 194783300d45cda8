import { Dataset, inputPlanOf } from "./dataset.ts";
import { misuse } from "./errors.ts";
import { QuarantinedSource } from "./sources/quarantined.ts";
import { Operator } from "./streams/operator.ts";
import { decodingOf } from "./streams/plan.ts";
import { operatorsOfReplay } from "./streams/replay.ts";
import type { Source } from "./streams/source.ts";

/**
 * What is in a {@link quarantine}, through the plan of the dataset that it came from: after a fix of a function or a type, the
 * samples that did not come through. They come in the order they were put there, each once; `shuffle`, `take` and `skip` let
 * them pass. What was not read of a damaged shard is read again.
 *
 * @throws {TypeError} If the dataset is made of others by `concat`, `interleave`, `mix` or `zip`.
 * @example
 * ```ts
 * const halves = (divide: (n: number) => number) => fromArray([4, 5, 6]).map(divide);
 * const strict = (n: number) => { if (n % 2) throw new Error("odd"); return n / 2; };
 * await halves(strict).toArray({ onError: quarantine("odd.jsonl") }); // [2, 3]
 * await replay("odd.jsonl", halves((n) => n / 2)).toArray(); // [2.5]
 * ```
 */
export function replay<T>(path: string, dataset: Dataset<T>): Dataset<T> {
  if (typeof path !== "string" || path === "") {
    throw misuse(new TypeError("Cannot replay a quarantine: its path must be text"));
  }
  const { source, operators } = inputPlanOf(dataset);
  if (source.inputs !== undefined) {
    const what = `Cannot replay a quarantine through ${source.name}`;
    throw misuse(new TypeError(`${what}: a line does not say which of its datasets it comes from`));
  }
  const quarantined = new QuarantinedSource(path, source);
  const decodeAt = decodingOf({ source, operators })?.at;
  const steps = operatorsOfReplay(operators, decodeAt, (position) => quarantined.failedAt(position));
  return new Dataset(
    quarantined as Source<T>,
    steps.map((spec) => new Operator(spec)),
  );
}
