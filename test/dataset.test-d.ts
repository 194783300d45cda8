import {
  type Batch,
  concat,
  type Dataset,
  type DictSample,
  dataset,
  defineSample,
  field,
  fromArray,
  type Infer,
  type InferInput,
  interleave,
  jsonLinesWriter,
  mix,
  type NdArray,
  shardWriter,
  zip,
} from "../src/index.ts";
import { batch, compose, filter, map, sampleDecode, tarDecode } from "../src/operators/index.ts";
import { expectType } from "./types.ts";

const Photo = defineSample("Photo", {
  id: field.int(),
  big: field.int("bigint"),
  label: field.string(),
  flag: field.bool(),
  score: field.optional(field.float()),
  pixels: field.ndarray("uint8", [null, null, 3]),
  tags: field.list(field.string()),
});
type Photo = Infer<typeof Photo>;
const photos = dataset("photos.tar", Photo);

// Samples
expectType<{
  id: number;
  big: bigint;
  label: string;
  flag: boolean;
  score: number | null;
  pixels: NdArray<"uint8">;
  tags: string[];
}>()({} as Photo);
expectType<Dataset<Photo>>()(photos);
expectType<Dataset<DictSample>>()(dataset("photos.tar"));
const Small = defineSample("Small", { a: field.int(), b: field.optional(field.string()) });
expectType<{ a: number; b?: string | null | undefined }>()({} as InferInput<typeof Small>);
fromArray(Small, [{ a: 1 }, { a: 2, b: null }, { a: 3, b: "x" }]);
// @ts-expect-error a required field is missing
fromArray(Small, [{ b: "x" }]);
// @ts-expect-error a field of another kind
fromArray(Small, [{ a: "x" }]);
// @ts-expect-error a list of optional values
field.list(field.optional(field.string()));

// Columns
const batches: Batch<Photo> = {} as never;
expectType<Float64Array>()(batches.column("id"));
expectType<readonly bigint[]>()(batches.column("big"));
expectType<readonly string[]>()(batches.column("label"));
expectType<Uint8Array>()(batches.column("flag"));
expectType<readonly (number | null)[]>()(batches.column("score"));
expectType<NdArray<"uint8">>()(batches.column("pixels"));
expectType<readonly string[][]>()(batches.column("tags"));
// @ts-expect-error no such field
batches.column("colour");

// Steps
expectType<Dataset<Pick<Photo, "id" | "label">>>()(photos.select("id", "label"));
// @ts-expect-error no such field
photos.select("colour");
// @ts-expect-error no such field
photos.where((photo) => photo.colour.eq("red"));
// @ts-expect-error a field of text is no number
photos.where((photo) => photo.label.gt(3));
// @ts-expect-error arrays have no order
photos.where((photo) => photo.pixels.lt(3));
photos.where((photo) => photo.score.isNull());
expectType<Dataset<number>>()(photos.map(({ id }) => id));
expectType<Dataset<number>>()(photos.map(async ({ id }) => id));
expectType<Dataset<string>>()(photos.flatMap(({ tags }) => tags));
expectType<Dataset<Photo & { score: number }>>()(
  photos.filter((photo): photo is Photo & { score: number } => photo.score !== null),
);
// @ts-expect-error a batch has no pixels of its own
photos.batch(32).map((photo) => photo.pixels);
expectType<Dataset<Photo>>()(photos.shuffle({ seed: 1, blockBytes: 1 << 20 }));
// @ts-expect-error a window is a number
photos.shuffle({ window: "all" });
expectType<Promise<Photo | undefined>>()(photos.at(-1));
expectType<Promise<{ id: number } | undefined>>()(photos.select("id").get("000001"));
expectType<Dataset<Photo>>()(photos.slice(1, 5).sample(2, 7));
// @ts-expect-error an operator over texts behind numbers
photos.map(({ id }) => id).pipeThrough(map((text: string) => text.length));
photos.pipeTo(shardWriter<Photo>("out.tar", { key: ({ label }) => label }));

// Streams
const bytes: ReadableStream<Uint8Array> = {} as never;
expectType<ReadableStream<Batch<Photo>>>()(
  bytes.pipeThrough(tarDecode()).pipeThrough(sampleDecode(Photo)).pipeThrough(batch(32)),
);
expectType<ReadableWritablePair<boolean, number>>()(
  compose(
    filter((n: number) => n > 0),
    map((n: number) => n > 1),
  ),
);
compose(
  // @ts-expect-error texts come out, and numbers are wanted
  map((n: number) => String(n)),
  map((n: number) => n + 1),
);

// Mixing
expectType<Dataset<Photo>>()(mix([photos, photos], { weights: [3, 1] }));
expectType<Dataset<string | number>>()(concat([fromArray([1]), fromArray(["a"])]));
expectType<Dataset<Photo | DictSample>>()(interleave([photos, dataset("photos.tar")]));
expectType<Dataset<[Photo, number, string]>>()(zip([photos, fromArray([1]), fromArray(["a"])]));
const several: Dataset<Photo>[] = [photos];
expectType<Dataset<Photo>>()(mix(several));
expectType<Dataset<Photo[]>>()(zip(several));
mix([photos], { weights: [{ from: 0, weights: [1] }] }).pipeTo(shardWriter("a-%06d.tar", { samplesPerShard: 1 }));
// @ts-expect-error a list of datasets
mix(photos);
// @ts-expect-error no such rule
interleave([photos], { stop: "never" });
// A shard holds samples
// @ts-expect-error these are batches
photos.batch(8).pipeTo(shardWriter("x.tar"));
// @ts-expect-error these are batches
photos.batch(8).run().pipeTo(shardWriter("x.tar"));
photos.pipeTo(shardWriter("x.tar", { key: (photo) => photo.label }));
photos.run().pipeTo(shardWriter("x.tar"));
photos.batch(8).pipeTo(jsonLinesWriter("x.jsonl"));
