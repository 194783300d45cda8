/** Work on photos that threads can do: a module of its own, as each thread imports it. */
import { defineSample, defineTask, field, NdArray } from "shardstream";
import type { Photo } from "./photos.ts";

export const Crop = defineSample("Crop", { pixels: field.ndarray("uint8", [null, null, 3]), label: field.string() });

/** Crops of a photo at random places, every other one mirrored. The random numbers belong to the photo, not to the thread. */
export const augment = defineTask(
  import.meta.url,
  "augment",
  ({ size, crops }: { size: number; crops: number }) =>
    ({ pixels, label }: Photo, { random }) =>
      Array.from({ length: crops }, (_, i) => ({ pixels: crop(pixels, size, i % 2 === 1, random), label })),
  { output: Crop },
);

function crop(pixels: NdArray<"uint8">, size: number, mirrored: boolean, random: () => number): NdArray<"uint8"> {
  const [height, width] = pixels.shape as [number, number, number];
  const [top, left] = [Math.floor(random() * (height - size + 1)), Math.floor(random() * (width - size + 1))];
  const data = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = ((top + y) * width + left + (mirrored ? size - 1 - x : x)) * 3;
      for (let channel = 0; channel < 3; channel++) data[(y * size + x) * 3 + channel] = pixels.data[from + channel]!;
    }
  }
  return new NdArray("uint8", [size, size, 3], data);
}
