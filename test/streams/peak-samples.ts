import { defineSample, field, fromIterable, NdArray, shardWriter } from "../../src/index.ts";
import { randomNumbers } from "../../src/streams/random.ts";

export const Blobs = defineSample("Blobs", { n: field.int(), data: field.ndarray("uint8", [null]) });

/** Shards of `count` samples of `bytes` each; when `uneven`, some are of half or twice that size. */
export async function writeBlobs(
  folder: string,
  count: number,
  bytes: number,
  samplesPerShard: number,
  uneven = true,
): Promise<void> {
  const random = randomNumbers(bytes);
  await fromIterable(Blobs, function* () {
    for (let n = 0; n < count; n++) {
      const kind = uneven ? random() : 1;
      const size = Math.floor(kind < 0.1 ? bytes / 2 : kind < 0.15 ? bytes * 2 : bytes);
      yield { n, data: new NdArray("uint8", [size], new Uint8Array(size).fill(n & 255)) };
    }
  }).pipeTo(shardWriter(`${folder}/blobs-%03d.tar`, { samplesPerShard }));
}
