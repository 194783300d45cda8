/** Work on digits that threads can do: a module of its own, as each thread imports it. */
import { defineSample, defineTask, field, type Infer, NdArray } from "shardstream";

export const Digit = defineSample("Digit", { pixels: field.ndarray("uint8", [28, 28]), label: field.int() });
export type Digit = Infer<typeof Digit>;

/** A digit moved by up to so many pixels. The random numbers belong to the digit, whoever moves it. */
export const jitter = defineTask(
  import.meta.url,
  "jitter",
  ({ most }: { most: number }) =>
    ({ pixels, label }: Digit, { random }) => {
      const [right, down] = [random, random].map((draw) => Math.floor(draw() * (2 * most + 1)) - most) as [
        number,
        number,
      ];
      const moved = new Uint8Array(28 * 28);
      for (let y = 0; y < 28; y++) {
        for (let x = 0; x < 28; x++) {
          const [fromY, fromX] = [y - down, x - right];
          const isInside = fromY >= 0 && fromY < 28 && fromX >= 0 && fromX < 28;
          if (isInside) moved[28 * y + x] = pixels.data[28 * fromY + fromX]!;
        }
      }
      return { pixels: new NdArray("uint8", [28, 28], moved), label };
    },
  { output: Digit },
);
