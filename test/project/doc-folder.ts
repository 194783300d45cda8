import { mkdir, writeFile } from "node:fs/promises";
import { threads } from "../../src/execution/threads.ts";
import {
  dataset,
  defineSample,
  defineTask,
  field,
  fromIterable,
  type Infer,
  NdArray,
  shardWriter,
} from "../../src/index.ts";

// What the examples of README, docs and docstrings find, where they declare no such names of their own: these values, and a
// working folder with ten shards of eight photos each, `train-…` and the same again in `data`; two shards `photos-…`; one
// shard `data/val-000000.tar`, `train.tar.gz`; `points.jsonl`; `pets.tar`, a classic shard of a .jpg, a .cls and a .json.

export const Photo = defineSample("Photo", { pixels: field.ndarray("uint8", [null, null, 3]), label: field.string() });
export type Photo = Infer<typeof Photo>;

export const Point = defineSample("Point", { x: field.float(), y: field.float() });
export type Point = Infer<typeof Point>;

/** Eighty photos, the same ones every time. */
export function* takePhotos(): Generator<Photo> {
  for (let i = 0; i < 80; i++) {
    const pixels = new NdArray("uint8", [4, 4, 3], new Uint8Array(4 * 4 * 3).fill(i));
    yield { pixels, label: i % 3 === 0 ? "cat" : "dog" };
  }
}

export const photos = dataset("data/train-{000000..000009}.tar", Photo);

/** A task of some module, and threads for it. */
export const embed = defineTask(
  import.meta.url,
  "embed",
  (_: { model: string }) =>
    ({ pixels }: Photo) => ({ pixels, label: "" }),
  { output: Photo },
);
export const executor = threads({ size: 2 });

export { filter } from "../../src/operators/filter.ts";
export { map } from "../../src/operators/map.ts";
export { tarDecode } from "../../src/operators/tar-decode.ts";
// For docstrings of what works on bytes.
export { createFile } from "../../src/storage/byte-writer.ts";
export { openBytes } from "../../src/storage/open.ts";
export const bytes: Uint8Array = new Uint8Array(1024);
export const payload: Uint8Array = new Uint8Array(100);
export const window: Uint8Array = new Uint8Array(4096);

/** Fills the working folder; run once, each example gets a copy. */
export async function fillFolder(): Promise<void> {
  for (const pattern of ["train-%06d.tar", "data/train-%06d.tar"]) {
    await fromIterable(Photo, takePhotos()).pipeTo(shardWriter(pattern, { samplesPerShard: 8 }));
  }
  for (const pattern of ["photos-%06d.tar", "data/val-%06d.tar"]) {
    const samplesPerShard = pattern.startsWith("photos") ? 40 : 80;
    await fromIterable(Photo, takePhotos()).pipeTo(shardWriter(pattern, { samplesPerShard }));
  }
  await fromIterable(Photo, takePhotos()).pipeTo(shardWriter("train.tar.gz"));
  const parts = new Map(Object.entries({ jpg: "…", cls: "3", json: '{"caption":"a cat"}' }));
  const encoded = Array.from(parts, ([name, text]) => [name, new TextEncoder().encode(text)] as const);
  await fromIterable([{ key: "pet", parts: new Map(encoded) }]).pipeTo(shardWriter("pets.tar"));
  await mkdir("data", { recursive: true });
  await writeFile("points.jsonl", '{"x":1,"y":2}\n{"x":3,"y":4}\n');
}
