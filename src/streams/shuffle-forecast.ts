import { segmentsOf } from "./chain.ts";
import { interleavedRuns } from "./interleaved-runs.ts";
import { blockOf, orderHash, type ShuffleOrder } from "./order.ts";
import { permuted, permutedInBlocks, type ReadOrder } from "./permuted-order.ts";
import { wholeOrder } from "./pick.ts";
import { type Plan, permuteOf } from "./plan.ts";
import type { SourceLayout } from "./source.ts";

/** What a shuffle will do, worked out from the counts of the shards before anything of them is read. */
export interface ShuffleForecast {
  readonly kind: "all" | "blocks" | "window" | "none";
  readonly samples: number;
  readonly shards: number;
  /** Samples of a batch of the plan; 32 where it has none. */
  readonly batchSize: number;
  /** Mean of the different shards that the samples of a batch come from. */
  readonly shardsPerBatch: number;
  /** The same of 256 samples in a row; and what chance would give. */
  readonly shardsPer256: number;
  readonly uniformPer256: number;
  /** Part of the neighbours that are neighbours in stored order too. */
  readonly adjacentRate: number;
  /** Mean way from a sample's stored place to its new one, as a part of all places; by chance a third. */
  readonly displacement: number;
  /** Bytes that a pass reads. */
  readonly bytesRead: number;
  /** A table for people. */
  toString(): string;
}

const WINDOW = 256;
/** Windows that are looked at, over the whole epoch. */
const LOOKS = 64;

/** Forecasts the first shuffle of a plan. */
export function forecastShuffle(plan: Plan, layout: SourceLayout): ShuffleForecast {
  const { kind, order } = orderOf(plan, layout);
  const { samples, counts, bytes, shardOf } = layout;
  const batchSize = plan.operators.find(({ batch }) => batch !== undefined)?.batch?.size ?? 32;
  const span = Math.min(samples, Math.max(WINDOW, batchSize));
  const looks = Math.max(1, Math.min(LOOKS, Math.floor(samples / Math.max(1, span))));
  let [inBatches, inWindows, adjacent, pairs, way, seen] = [0, 0, 0, 0, 0, 0];
  for (let look = 0; look < looks && samples > 0; look++) {
    const first = Math.floor((look * samples) / looks);
    const numbers = Array.from({ length: Math.min(span, samples - first) }, (_, i) => order.at(first + i));
    const distinct = (count: number): number => new Set(numbers.slice(0, count).map(shardOf)).size;
    inBatches += distinct(batchSize);
    inWindows += distinct(WINDOW);
    numbers.forEach((number, i) => {
      way += Math.abs(number - first - i) / samples;
      seen++;
      if (i === 0) return;
      pairs++;
      if (Math.abs(number - numbers[i - 1]!) === 1) adjacent++;
    });
  }
  const chance = counts.reduce(
    (sum, count) => sum + 1 - (1 - count / Math.max(1, samples)) ** Math.min(WINDOW, samples),
    0,
  );
  const forecast = {
    kind,
    samples,
    shards: counts.length,
    batchSize,
    shardsPerBatch: inBatches / looks,
    shardsPer256: inWindows / looks,
    uniformPer256: chance,
    adjacentRate: pairs === 0 ? 0 : adjacent / pairs,
    displacement: seen === 0 ? 0 : way / seen,
    bytesRead: bytes,
  };
  return { ...forecast, toString: () => table(forecast) };
}

function orderOf(plan: Plan, layout: SourceLayout): { kind: ShuffleForecast["kind"]; order: ReadOrder } {
  const { epoch } = plan;
  const whole = wholeOrder(layout.samples);
  const permute = permuteOf(plan);
  if (permute !== undefined) {
    const { seed, blockBytes } = permute;
    if (blockBytes === undefined) return { kind: "all", order: permuted(whole, seed, epoch) };
    return { kind: "blocks", order: permutedInBlocks(whole, { seed, epoch, blockBytes }, layout.spanOf) };
  }
  const [first] = segmentsOf(plan.operators, epoch);
  const order = first!.steps.find(({ spec }) => spec.role === "shuffle")?.order;
  if (order === undefined) return { kind: "none", order: whole };
  return { kind: "window", order: windowed(order, layout) };
}

/** The order behind a windowed shuffle: shards interleaved, then each block by its hashes. */
function windowed(order: ShuffleOrder, { samples, counts, isInterleaved }: SourceLayout): ReadOrder {
  const stored = isInterleaved ? interleavedRuns(counts, order.seed, order.epoch) : wholeOrder(samples);
  let block = -1;
  let sorted: number[] = [];
  return {
    length: samples,
    at(place) {
      const here = blockOf(order, place);
      const start = here * order.window;
      if (here !== block) {
        block = here;
        const length = Math.min(order.window, samples - start);
        const hashes = Array.from({ length }, (_, i) => orderHash(order, start + i, 0));
        sorted = Array.from({ length }, (_, i) => i).sort((a, b) => hashes[a]! - hashes[b]! || a - b);
      }
      return stored.at(start + sorted[place - start]!);
    },
  };
}

const KINDS: Readonly<Record<ShuffleForecast["kind"], string>> = {
  all: "a permutation of all samples",
  blocks: "blocks of runs of 64 samples",
  window: "shards interleaved, then a window",
  none: "none: the stored order",
};

function table(forecast: Omit<ShuffleForecast, "toString">): string {
  const { kind, samples, shards, batchSize, shardsPerBatch, shardsPer256, uniformPer256 } = forecast;
  const lines: readonly (readonly [string, string])[] = [
    ["shuffle", KINDS[kind]],
    ["samples", `${samples} in ${shards} shards`],
    [`shards in a batch of ${batchSize}`, shardsPerBatch.toFixed(1)],
    ["shards in 256 samples", `${shardsPer256.toFixed(1)} (by chance ${uniformPer256.toFixed(1)})`],
    ["neighbours that stay so", `${(100 * forecast.adjacentRate).toFixed(2)} %`],
    ["mean way of a sample", `${(100 * forecast.displacement).toFixed(1)} % of all places (by chance 33.3 %)`],
    ["bytes read in a pass", String(forecast.bytesRead)],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
