/** Tasks of the threads bench: a module of their own, which each thread imports. */
import { defineSample, defineTask, field, type Infer } from "shardstream";

export const Tiny = defineSample("Tiny", { n: field.int(), text: field.string() });
export type Tiny = Infer<typeof Tiny>;

export const same = defineTask(import.meta.url, "same", () => (sample: Tiny) => sample, { output: Tiny });
export const untyped = defineTask(import.meta.url, "untyped", () => (sample: Tiny) => sample);

/** Work on the processor, the same amount for each sample. */
export const work = defineTask(
  import.meta.url,
  "work",
  ({ rounds }: { rounds: number }) =>
    ({ n, text }: Tiny) => ({ n: n + mix(n, rounds) * 0, text }),
  {
    output: Tiny,
  },
);

export function mix(n: number, rounds: number): number {
  let h = n;
  for (let i = 0; i < rounds; i++) h = (Math.imul(h ^ (h >>> 15), 0x85ebca6b) + i) | 0;
  return h;
}
