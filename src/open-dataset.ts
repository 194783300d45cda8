import type { DictSample } from "./codec/dict-sample.ts";
import type { RawSample } from "./codec/raw-sample.ts";
import { Dataset } from "./dataset.ts";
import { misuse } from "./errors.ts";
import type { AnySampleType, SampleType, SampleTypeOf } from "./schema/sample.ts";
import { type AnyIterable, IterableSource } from "./sources/from-iterable.ts";
import { JsonLinesSource } from "./sources/json-lines.ts";
import { type ShardOptions, ShardSource } from "./sources/shards.ts";
import type { Source } from "./streams/source.ts";

/** How a dataset is read. */
export interface DatasetOptions extends ShardOptions {
  /**
   * What a sample is in its shard. `"msgpack"`: one `.msgpack` file, as atdata writes it. `"files"`: all neighbouring files of
   * one key, as in WebDataset; each is a field named by its extension, decoded by the usual rules. @default "msgpack"
   */
  readonly members?: "msgpack" | "files";
}

/**
 * Opens tar shards of samples. The pattern is a path or an http(s) address; braces stand for several
 * (`train-{000000..000009}.tar`), and in the last part of a path `*` and `?` for what is there. A folder stands for its
 * `*.tar*`. A list is taken as it stands. Shards may be compressed (gzip, zstd, bzip2, xz).
 *
 * Without a type samples are untyped ({@link DictSample}).
 *
 * @example
 * ```ts
 * const photos = dataset("photos-{000000..000001}.tar", Photo);
 * const [first] = await photos.head(1);
 * ```
 */
export function dataset<T>(
  pattern: string | readonly string[],
  type: SampleTypeOf<T>,
  options?: DatasetOptions,
): Dataset<T>;
export function dataset(
  pattern: string | readonly string[],
  options: DatasetOptions & { readonly members: "files" },
): Dataset<Record<string, unknown>>;
export function dataset(pattern: string | readonly string[], options?: DatasetOptions): Dataset<DictSample>;
export function dataset(
  pattern: string | readonly string[],
  typeOrOptions: AnySampleType | DatasetOptions = {},
  options: DatasetOptions = {},
): Dataset<never> {
  const type = "fields" in typeOrOptions ? typeOrOptions : undefined;
  const { members = "msgpack", ...rest } = type === undefined ? (typeOrOptions as DatasetOptions) : options;
  oneOf("members", members, ["msgpack", "files"]);
  checkShardOptions(pattern, rest);
  return new Dataset(new ShardSource(pattern, type, rest, members) as Source<never>);
}

function checkShardOptions(pattern: unknown, { endMarker, unknownFields }: ShardOptions): void {
  const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
  if (!isText(pattern) && !(Array.isArray(pattern) && pattern.every(isText))) {
    throw misuse(new TypeError("Cannot open a dataset: its pattern must be text, or a list of addresses"));
  }
  if (endMarker !== undefined) oneOf("endMarker", endMarker, ["required", "optional"]);
  if (unknownFields !== undefined) oneOf("unknownFields", unknownFields, ["error", "ignore"]);
}

function oneOf(option: string, value: unknown, known: readonly string[]): void {
  if (known.includes(value as string)) return;
  throw misuse(
    new TypeError(`Cannot open a dataset: ${option} must be "${known.join('" or "')}", not ${JSON.stringify(value)}`),
  );
}

/** The samples of shards as they are stored: key, and the bytes of each file. */
export function rawSamples(pattern: string | readonly string[], options: ShardOptions = {}): Dataset<RawSample> {
  checkShardOptions(pattern, options);
  return new Dataset(new ShardSource(pattern, undefined, options, "raw") as Source<RawSample>);
}

/**
 * A dataset of what is in memory.
 *
 * @example
 * ```ts
 * await fromArray([1, 2, 3]).toArray(); // [1, 2, 3]
 * ```
 */
export function fromArray<T>(samples: readonly T[]): Dataset<T>;
export function fromArray<T, I>(type: SampleType<T, I>, samples: readonly I[]): Dataset<I>;
export function fromArray(first: AnySampleType | readonly unknown[], samples?: readonly unknown[]): Dataset<never> {
  const [type, array] =
    samples === undefined ? [undefined, first as readonly unknown[]] : [first as AnySampleType, samples];
  return new Dataset(new IterableSource("fromArray", array as readonly never[], type));
}

/**
 * A dataset of anything that can be gone through: lists, generators, async iterables, web streams; or of a function that makes
 * one. Only through a function can it be read more than once where the iterable can not, and be resumed.
 *
 * @example
 * ```ts
 * const squares = fromIterable(function* () { for (let n = 0; n < 3; n++) yield n * n; });
 * await squares.toArray(); // [0, 1, 4]
 * ```
 */
export function fromIterable<T>(samples: AnyIterable<T> | (() => AnyIterable<T>)): Dataset<T>;
export function fromIterable<T, I>(
  type: SampleType<T, I>,
  samples: AnyIterable<I> | (() => AnyIterable<I>),
): Dataset<I>;
export function fromIterable(
  first: AnySampleType | AnyIterable<unknown> | (() => AnyIterable<unknown>),
  samples?: AnyIterable<unknown> | (() => AnyIterable<unknown>),
): Dataset<never> {
  const [type, from] = samples === undefined ? [undefined, first] : [first as AnySampleType, samples];
  return new Dataset(new IterableSource("fromIterable", from as AnyIterable<never>, type));
}

/** A dataset of JSON values, one a line, of files or http(s) addresses; patterns and compression as in {@link dataset}. */
export function fromJsonLines<T = unknown>(pattern: string | readonly string[], type?: SampleTypeOf<T>): Dataset<T> {
  return new Dataset(new JsonLinesSource(pattern, type) as Source<T>);
}
