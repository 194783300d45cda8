import process from "node:process";
import { threadId } from "node:worker_threads";
import { defineSample, defineTask, field, type Infer, NdArray } from "../../src/index.ts";

export const Counted = defineSample("Counted", { n: field.int(), text: field.string() });
export type Counted = Infer<typeof Counted>;

export const Drawn = defineSample("Drawn", {
  n: field.int(),
  drawn: field.float(),
  pixels: field.ndarray("uint8", [null, 2]),
  note: field.optional(field.string()),
});

export const double = defineTask(
  import.meta.url,
  "double",
  () =>
    ({ n, text }: Counted) => ({ n: 2 * n, text }),
  {
    output: Counted,
  },
);

/** Typed results with arrays, random numbers, and an optional field that is left out. */
export const draw = defineTask(
  import.meta.url,
  "draw",
  ({ add }: { add: number }) =>
    ({ n }: Counted, { random }) => ({
      n: n + add,
      drawn: random(),
      pixels: new NdArray("uint8", [1, 2], Uint8Array.of(n % 256, 1)),
      ...(n % 2 === 0 ? { note: `é ${n}` } : {}),
    }),
  { output: Drawn as never },
);

/** Asks for random numbers. */
export const reword = defineTask(
  import.meta.url,
  "reword",
  () =>
    ({ n, text }: Counted, { random }) => ({ n, text: `${text} ${random()}` }),
  { output: Counted },
);

/** Untyped results, of values that cross in different ways. */
export const anything = defineTask(import.meta.url, "anything", () => ({ n, text }: Counted, { origin }) => ({
  n,
  text,
  key: origin.key,
  big: BigInt(n),
  date: new Date(n),
  map: new Map([[text, n]]),
  floats: Float32Array.of(n, 0.5),
  nested: [{ pixels: new NdArray("int16", [2], Int16Array.of(n, -1)) }],
  nothing: undefined,
}));

export const isOdd = defineTask(
  import.meta.url,
  "isOdd",
  ({ of = 2 }: { of?: number }) =>
    ({ n }: Counted) =>
      n % of === 1,
);

/** `n % 4` outputs for each sample. */
export const repeat = defineTask(
  import.meta.url,
  "repeat",
  () =>
    ({ n, text }: Counted) =>
      Array.from({ length: n % 4 }, (_, part) => ({ n, text: `${text} ${part}` })),
  { output: Counted },
);

/** Answers later, some samples later than others. */
export const later = defineTask(
  import.meta.url,
  "later",
  () =>
    async ({ n, text }: Counted) => {
      await new Promise((resolve) => setTimeout(resolve, n % 3));
      return { n, text: `${text} later` };
    },
  { output: Counted },
);

export const failing = defineTask(
  import.meta.url,
  "failing",
  ({ at }: { at: number[] }) =>
    ({ n, text }: Counted) => {
      if (at.includes(n)) throw new RangeError(`no ${n}`, { cause: new TypeError("inner") });
      return { n, text };
    },
  { output: Counted },
);

/** What it gives is not what it says. */
export const lying = defineTask(
  import.meta.url,
  "lying",
  () =>
    ({ n }: Counted) => ({ n, text: n === 5 ? (5 as never) : "" }),
  {
    output: Counted,
  },
);

/** Tells by a file that it was set up and freed. */
export const counted = defineTask(
  import.meta.url,
  "counted",
  async ({ log }: { log: string }) => {
    const { appendFile } = await import("node:fs/promises");
    await appendFile(log, `open ${threadId}\n`);
    return {
      run: (sample: Counted) => sample,
      [Symbol.asyncDispose]: () => appendFile(log, `close ${threadId}\n`),
    };
  },
  { output: Counted },
);

export const unset = defineTask(import.meta.url, "unset", (): ((sample: Counted) => Counted) => {
  throw new Error("no model");
});

/** Dies, one way or another, at one sample. */
export const dying = defineTask(
  import.meta.url,
  "dying",
  ({ how, at }: { how: "exit" | "memory" | "hang"; at: number }) =>
    (sample: Counted) => {
      if (sample.n === at) {
        if (how === "exit") process.exit(3);
        if (how === "hang") for (;;);
        // In small pieces: the larger the one that goes over the limit, the more often V8 ends the process and not the thread.
        let hoard: unknown;
        for (;;) hoard = { hoard, values: [1, 2, 3, 4] };
      }
      return sample;
    },
  { output: Counted },
);

/** Takes some time on the processor for each sample. */
export const heavy = defineTask(
  import.meta.url,
  "heavy",
  ({ microseconds }: { microseconds: number }) =>
    ({ n, text }: Counted) => {
      const end = performance.now() + microseconds / 1000;
      while (performance.now() < end);
      return { n, text };
    },
  { output: Counted },
);

/** Exported, but under another name. */
const unnamed = defineTask(import.meta.url, "hidden", () => (sample: Counted) => sample);
export const notHidden = unnamed;
