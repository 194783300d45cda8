import type { Batch, Infer, NdArray, SampleType } from "../../src/index.ts";

/** The package under test: `dist/index.js`, whose types are those of the sources. */
export type Shardstream = typeof import("../../src/index.ts");

/** A data set, as far as a bench must know it. */
export interface BenchSet<T = unknown> {
  readonly type: SampleType<T>;
  /** Touches a sample. The sum over a set is a whole number that must be the same for every reader in every language. */
  one(sample: T): number;
  /** The same of a batch, by columns. */
  many(batch: Batch<T>): number;
}

export const SETS = ["small", "image", "embedding"] as const;
export type SetName = (typeof SETS)[number];

/** The sample types of the data sets; `peers.py` sums what they hold in the same way. */
export function benchSet({ defineSample, field }: Shardstream, name: SetName): BenchSet {
  switch (name) {
    case "small": {
      const Small = defineSample("SmallSample", {
        id: field.int(),
        name: field.string(),
        score: field.float(),
        flag: field.bool(),
        tags: field.list(field.string()),
      });
      return erased<Infer<typeof Small>>({
        type: Small,
        one: (sample) => sample.id + sample.name.length + sample.tags.length + Number(sample.flag),
        many(batch) {
          const ids = batch.column("id");
          const names = batch.column("name");
          const tags = batch.column("tags");
          const flags = batch.column("flag");
          let sum = 0;
          for (let i = 0; i < ids.length; i++) sum += ids[i]! + names[i]!.length + tags[i]!.length + flags[i]!;
          return sum;
        },
      });
    }
    case "image": {
      const Image = defineSample("ImageSample", { image: field.ndarray("uint8", [128, 128, 4]), label: field.int() });
      return erased<Infer<typeof Image>>({
        type: Image,
        one: (sample) => sample.label + sample.image.data[0]!,
        many(batch) {
          const { data, stride } = stacked(batch.column("image"));
          const labels = batch.column("label");
          let sum = 0;
          for (let i = 0; i < labels.length; i++) sum += labels[i]! + data[i * stride]!;
          return sum;
        },
      });
    }
    case "embedding": {
      const Embedding = defineSample("EmbeddingSample", {
        embedding: field.ndarray("float32", [768]),
        id: field.string(),
      });
      return erased<Infer<typeof Embedding>>({
        type: Embedding,
        one: (sample) => numberOf(sample.id) + (sample.embedding.data[0]! > 0 ? 1 : 0),
        many(batch) {
          const { data, stride } = stacked(batch.column("embedding"));
          const ids = batch.column("id");
          let sum = 0;
          for (let i = 0; i < ids.length; i++) sum += numberOf(ids[i]!) + (data[i * stride]! > 0 ? 1 : 0);
          return sum;
        },
      });
    }
  }
}

/** Which type a set has is known by its name alone. */
const erased = <T>(set: BenchSet<T>): BenchSet => set as unknown as BenchSet;

function stacked<D extends "uint8" | "float32">({
  data,
  shape,
  size,
}: NdArray<D>): { data: NdArray<D>["data"]; stride: number } {
  return { data, stride: size / shape[0]! };
}

/** The number in `doc-00000042`. */
export function numberOf(id: string): number {
  let number = 0;
  for (let i = 4; i < id.length; i++) number = number * 10 + id.charCodeAt(i) - 48;
  return number;
}
