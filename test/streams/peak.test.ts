import { describe, expect, it } from "vitest";
import { parseByteSize } from "../../src/streams/byte-size.ts";
import { ended, startProcess } from "../cli/run-process.ts";
import { soakRuns } from "../soak.ts";
import { temporaryFolder } from "../temporary.ts";
import { writeBlobs } from "./peak-samples.ts";

const folder = temporaryFolder();
const longer = soakRuns(1) > 1 ? 4 : 1;
/** Between passes that do the same, what is resident moves by so much: the young heap grows and shrinks. */
const NOISE = 32e6;
/** And what is in use, when all else was collected, by so much. A leak of 40 bytes a sample would be more. */
const IN_USE_NOISE = 1e6;

interface Peak {
  readonly before: number;
  readonly peak: number;
  readonly samples: number;
  /** After each pass. */
  readonly rss: readonly number[];
  /** After each pass; every tenth when garbage was collected. */
  readonly heap: readonly number[];
}

async function peakOf(...args: readonly (string | number)[]): Promise<Peak> {
  const { code, stdout, stderr } = await ended(startProcess("test/streams/peak-consumer.ts", args.map(String)));
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Peak;
}

describe("the memory of a process", () => {
  it.each([
    { bytes: 1000, count: 60_000, memory: "128MB", window: 20_000, batch: 64 },
    { bytes: 64_000, count: 3000, memory: "128MB", window: 200, batch: 32 },
    { bytes: 1_000_000, count: 200, memory: "128MB", window: 16, batch: 8 },
    { bytes: 20_000_000, count: 16, memory: "256MB", window: 2, batch: 1 },
  ])(
    "stays within $memory and a quarter for samples of $bytes bytes",
    { timeout: 600_000 },
    async ({ bytes, count, memory, window, batch }) => {
      const shards = `${folder}/${bytes}`;
      await writeBlobs(shards, count * longer, bytes, Math.ceil(count / 24), bytes < 2e7);
      for (const stages of ["map", "recycle"]) {
        const { before, peak, samples } = await peakOf(shards, memory, window, batch, 1, stages);
        expect(samples).toBe(count * longer);
        expect(peak - before, stages).toBeLessThan(1.25 * parseByteSize("memory", memory));
      }
    },
  );

  it("is flat over epochs", { timeout: 1_800_000 }, async () => {
    const epochs = soakRuns(120);
    await writeBlobs(`${folder}/epochs`, 500, 4000, 50);
    const { rss, heap, samples } = await peakOf(`${folder}/epochs`, "128MB", 100, 32, epochs, "map");
    expect(samples).toBe(epochs * 500);
    const growth = (values: readonly number[]): number => {
      const quarter = values.length / 4;
      const mean = (from: number): number =>
        values.slice(from, from + quarter).reduce((sum, bytes) => sum + bytes, 0) / quarter;
      return mean(3 * quarter) - mean(quarter);
    };
    expect(growth(rss)).toBeLessThan(NOISE);
    expect(growth(heap.filter((_, epoch) => epoch % 10 === 9))).toBeLessThan(IN_USE_NOISE);
  });
});
