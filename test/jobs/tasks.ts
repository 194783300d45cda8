import { setTimeout as pause } from "node:timers/promises";
import { type DictSample, defineSample, defineTask, field, type Infer, type SampleInfo } from "../../src/index.ts";

export const Reading = defineSample("Reading", {
  n: field.int(),
  text: field.string(),
  level: field.optional(field.float()),
  pixels: field.ndarray("uint8", [null]),
});
export type Reading = Infer<typeof Reading>;

export const Noisy = defineSample("Noisy", { n: field.int(), noise: field.float(), text: field.string() });

/** Uses random numbers; `ms` makes it slow enough to be killed. */
export const noisy = defineTask(
  import.meta.url,
  "noisy",
  ({ ms = 0 }: { ms?: number }) =>
    async ({ n, text }: Reading, { random }: SampleInfo) => {
      if (ms > 0) await pause(ms);
      return { n, noise: random(), text };
    },
  { output: Noisy },
);

export const twice = defineTask(
  import.meta.url,
  "twice",
  () =>
    ({ n, text }: Reading) => [
      { n, noise: 0, text },
      { n, noise: 1, text },
    ],
  { output: Noisy },
);

export const strict = defineTask(
  import.meta.url,
  "strict",
  () =>
    ({ n, text }: Reading) => {
      if (n % 50 === 7) throw new Error(`no sevens: ${n}`);
      return { n, noise: 0, text };
    },
  { output: Noisy },
);

export const parsed = defineTask(
  import.meta.url,
  "parsed",
  () => (line: { n: number }) => ({ n: line.n, noise: 0, text: "" }),
  { output: Noisy },
);

export const untyped = defineTask(
  import.meta.url,
  "untyped",
  () => (sample: DictSample) => ({ n: Number(sample.get("n")), noise: 0, text: "" }),
  { output: Noisy },
);

export const exits = defineTask(
  import.meta.url,
  "exits",
  () => (): { n: number; noise: number; text: string } => process.exit(3),
  {
    output: Noisy,
  },
);

/** Never answers. */
export const hangs = defineTask(
  import.meta.url,
  "hangs",
  () => () => new Promise<{ n: number; noise: number; text: string }>(() => {}),
  { output: Noisy },
);
