import { type Dataset, dataset, defineSample, defineTask, field, type Infer } from "../../src/index.ts";

export const Counted = defineSample("Counted", { n: field.int(), text: field.string() });
export type Counted = Infer<typeof Counted>;

export const isKept = (n: number): boolean => n % 5 !== 2;

/** Of the two filters the one that threads can run. */
export const isFirstKept = defineTask(
  import.meta.url,
  "isFirstKept",
  () =>
    ({ n }: Counted) =>
      n % 10 !== 2,
);

/** A plan with a filter on both sides of a shuffle, over all shards of a folder. */
export function killPlan(folder: string): Dataset<Counted> {
  return dataset(folder, Counted)
    .filter(isFirstKept())
    .shuffle({ window: 300, seed: 11 })
    .filter(({ n }) => isKept(n));
}
