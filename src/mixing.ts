import { Dataset, inputPlanOf } from "./dataset.ts";
import type { AnySampleType } from "./schema/sample.ts";
import { MixedSource, type StopRule } from "./sources/mixed.ts";
import { checkWeights, equalWeights } from "./sources/weights.ts";
import { ZippedSource } from "./sources/zipped.ts";
import type { Source } from "./streams/source.ts";
import type { WeightStep } from "./streams/trace.ts";

/** When a mix ends. */
export interface InterleaveOptions {
  /**
   * `"first-exhausted"`: when it is the turn of a dataset that has no more. `"all-exhausted"`: when each dataset has given all
   * of its items at least once; one that has no more starts over, in its next epoch. `"all-exhausted-without-repeats"`: when
   * no dataset has more; one that has no more drops out, and the others go on with their weights among themselves.
   * @default "all-exhausted-without-repeats"
   */
  readonly stop?: StopRule;
}

/** In which proportion datasets are mixed, and when the mix ends. */
export interface MixOptions extends InterleaveOptions {
  /**
   * A number >= 0 for each dataset, of which only the proportion counts; or a list of such weights, each with the position of
   * the mix `from` which they hold. @default equal weights
   */
  readonly weights?: readonly number[] | readonly WeightStep[];
}

/** What the items of a dataset are. */
type ItemOf<D> = D extends Dataset<infer T> ? T : never;
type AnyDatasets = readonly Dataset<unknown>[];

/**
 * The items of several datasets, all of the first, then all of the second, and so on.
 *
 * @throws {TypeError} If it is not given a list of at least one dataset.
 * @example
 * ```ts
 * await concat([fromArray([1, 2]), fromArray([3])]).toArray(); // [1, 2, 3]
 * ```
 */
export function concat<const D extends AnyDatasets>(datasets: D): Dataset<ItemOf<D[number]>> {
  checkDatasets("concat", datasets);
  return mixed("concat", datasets, "all-exhausted-without-repeats");
}

/**
 * The items of several datasets, one of each in turn. {@link mix} with equal weights.
 *
 * @throws {TypeError} If it is not given a list of at least one dataset, or `stop` is no such rule.
 * @example
 * ```ts
 * await interleave([fromArray([1, 2, 3]), fromArray([10, 20])]).toArray(); // [1, 10, 2, 20, 3]
 * ```
 */
export function interleave<const D extends AnyDatasets>(
  datasets: D,
  options: InterleaveOptions = {},
): Dataset<ItemOf<D[number]>> {
  checkDatasets("interleave", datasets);
  return mixed("interleave", datasets, stopOf("interleave", options), equalWeights(datasets.length));
}

/**
 * The items of several datasets in a proportion, which may change with the position. Which dataset an item comes from is not
 * drawn but worked out: at every position each dataset has given its share of the items so far, within one item.
 *
 * @throws {TypeError} If it is not given a list of at least one dataset, a weight for each, or `stop` is no such rule.
 * @throws {RangeError} If a weight is not a number >= 0, all are 0, or positions do not begin with 0 and rise.
 * @example Three of the first for each of the second
 * ```ts
 * const [news, books] = [fromArray(["n1", "n2", "n3"]), fromArray(["b1"])];
 * await mix([news, books], { weights: [3, 1] }).toArray(); // ["n1", "n2", "b1", "n3"]
 * ```
 * @example Weights that change
 * ```ts
 * const [easy, hard] = [fromArray(Array(100).fill("easy")), fromArray(Array(100).fill("hard"))];
 * const weights = [{ from: 0, weights: [1, 0] }, { from: 4, weights: [1, 1] }];
 * await mix([easy, hard], { weights }).head(8); // four easy ones, then one of each in turn
 * ```
 */
export function mix<const D extends AnyDatasets>(datasets: D, options: MixOptions = {}): Dataset<ItemOf<D[number]>> {
  checkDatasets("mix", datasets);
  const stop = stopOf("mix", options);
  const { weights } = options;
  const steps = weights === undefined ? equalWeights(datasets.length) : checkWeights(weights, datasets.length);
  return mixed("mix", datasets, stop, steps);
}

/**
 * The first items of several datasets together, then the second ones, and so on, as far as the shortest goes. The origin is
 * that of the first dataset's item.
 *
 * @throws {TypeError} If it is not given a list of at least one dataset.
 * @example
 * ```ts
 * await zip([fromArray([1, 2, 3]), fromArray(["a", "b"])]).toArray(); // [[1, "a"], [2, "b"]]
 * ```
 */
export function zip<const D extends AnyDatasets>(datasets: D): Dataset<{ -readonly [K in keyof D]: ItemOf<D[K]> }> {
  checkDatasets("zip", datasets);
  return new Dataset(new ZippedSource(datasets.map(inputPlanOf)) as Source<never>);
}

function mixed(name: string, datasets: AnyDatasets, stop: StopRule, weights?: readonly WeightStep[]): Dataset<never> {
  const source = new MixedSource(name, datasets.map(inputPlanOf), commonType(datasets), stop, weights);
  return new Dataset(source as Source<never>);
}

/** The type of the samples, where all datasets have the same. */
function commonType(datasets: AnyDatasets): AnySampleType | undefined {
  const types = datasets.map(({ type }) => type);
  return types.every((type) => isSameType(type, types[0])) ? types[0] : undefined;
}

function isSameType(a: AnySampleType | undefined, b: AnySampleType | undefined): boolean {
  // A record does not tell all: not how whole numbers are read, and not that an array may have any dtype.
  const tell = (type: AnySampleType | undefined): string => JSON.stringify([type, type?.fields]);
  return a === b || tell(a) === tell(b);
}

function checkDatasets(name: string, datasets: unknown): void {
  if (!Array.isArray(datasets) || datasets.length === 0 || !datasets.every((one) => one instanceof Dataset)) {
    throw new TypeError(`Cannot ${name} datasets: give it a list of at least one dataset`);
  }
}

function stopOf(name: string, { stop = "all-exhausted-without-repeats" }: InterleaveOptions): StopRule {
  const rules: readonly StopRule[] = ["first-exhausted", "all-exhausted", "all-exhausted-without-repeats"];
  if (rules.includes(stop)) return stop;
  throw new TypeError(`Cannot ${name} datasets: stop must be "${rules.join('" or "')}", not ${JSON.stringify(stop)}`);
}
