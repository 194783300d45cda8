import { defineSample, field, type Infer, NdArray } from "shardstream";

export const Photo = defineSample("Photo", {
  pixels: field.ndarray("uint8", [8, 8, 3]),
  label: field.string(),
  score: field.float(),
});
/** `{ pixels: NdArray<"uint8">; label: string; score: number }` */
export type Photo = Infer<typeof Photo>;

/** Made-up photos, the same ones every time. */
export function* takePhotos(count: number): Generator<Photo> {
  const labels = ["cat", "dog", "owl"];
  for (let i = 0; i < count; i++) {
    const pixels = new NdArray("uint8", [8, 8, 3], new Uint8Array(8 * 8 * 3).fill(i));
    yield { pixels, label: labels[i % 3]!, score: (i % 10) / 10 };
  }
}
