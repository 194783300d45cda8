import type { Chunk } from "../streams/chunk.ts";
import { permuted, permutedInBlocks, type ReadOrder } from "../streams/permuted-order.ts";
import { type Choice, countNeeded, type Order, pickFrom, wholeOrder } from "../streams/pick.ts";
import type { SourceRequest } from "../streams/source.ts";
import { Layout } from "./layout.ts";
import { MOST_ROWS, RandomReader, type RandomReaderOptions } from "./random-reader.ts";
import type { ShardIndexes } from "./shard-indexes.ts";

/** Samples wanted together at first, when the consumer waits, and later. Powers of two. */
const [FIRST_ROWS, ROWS] = [64, 1024];
/** Bytes in memory, where nothing else is said: what stays in a cache of the processor is read and decoded 2.7 times as fast as 16 MiB. */
const MOST_BYTES = 1 << 20;
/** From so many samples on it pays to load indexes whole. */
const MANY = 256;

/** Shards that are read by their indexes. */
export interface IndexedShards {
  readonly reads: RandomReaderOptions["reads"];
  /** Their offset indexes, each opened once. */
  indexes(): Promise<ShardIndexes>;
  listShards(): Promise<readonly string[]>;
}

/** Reads some of the samples of shards, in stored order or in that of a shuffle of all; numbered from 0 in that order. */
export async function* readPicked(
  shards: IndexedShards,
  picks: readonly Choice[],
  { from, share, permute, faults, signal, meter, budget }: SourceRequest,
): AsyncGenerator<Chunk> {
  const { reads } = shards;
  const indexes = await shards.indexes();
  const layout = await Layout.open(await shards.listShards(), countNeeded(picks), indexes, { faults, signal });
  const picked = picks.reduce(pickFrom, wholeOrder(layout.samples) as Order);
  const order: ReadOrder = permute === undefined ? picked : await permutedBy(permute, picked, layout);
  const onStale = (url: string): void => indexes.forget(url);
  const isBlocks = order.blockEnd !== undefined;
  const holder = isBlocks
    ? budget?.holder("shuffle", order.blockEnd?.(0) ?? 1, shards)
    : budget?.holder("read", 1, shards);
  const isMany = order.length > MANY;
  const reader = new RandomReader(layout, { reads, onStale, isMany, faults, signal, meter, holder });
  const mostBytes = permute?.blockBytes ?? Math.min(MOST_BYTES, budget?.windows ?? MOST_BYTES);
  try {
    let rows = FIRST_ROWS;
    for (let wanted = new Wanted(order), at = from; ; ) {
      signal.throwIfAborted();
      at = wanted.fill(share, at, isBlocks ? MOST_ROWS : rows);
      if (wanted.count === 0) break;
      for await (const chunk of reader.read(wanted.take(), mostBytes)) yield chunk;
      rows = Math.max(1, Math.min(ROWS, rows * 4, Math.floor(mostBytes / reader.meanBytes)));
    }
  } finally {
    await reader.close();
  }
}

async function permutedBy(
  { seed, epoch, blockBytes }: NonNullable<SourceRequest["permute"]>,
  order: Order,
  layout: Layout,
): Promise<ReadOrder> {
  if (blockBytes === undefined) return permuted(order, seed, epoch);
  await layout.load();
  return permutedInBlocks(order, { seed, epoch, blockBytes }, (number) => layout.spanOf(number));
}

/** Collects samples that are read together. */
class Wanted {
  count = 0;
  readonly #order: ReadOrder;
  readonly #numbers = new Float64Array(MOST_ROWS);
  readonly #positions = new Float64Array(MOST_ROWS);

  constructor(order: ReadOrder) {
    this.#order = order;
  }

  /** Takes up to `rows` positions of a share from `at` on, but none of a further block; where to go on. */
  fill(share: SourceRequest["share"], at: number, rows: number): number {
    const order = this.#order;
    let end = order.length;
    for (let range = share.next(at); range !== undefined; range = share.next(at)) {
      let position = range.from;
      at = position;
      if (position >= order.length) return at;
      if (this.count === 0) end = order.blockEnd?.(position) ?? end;
      for (; position < range.to && position < end && this.count < rows; position++) {
        this.#numbers[this.count] = order.at(position);
        this.#positions[this.count++] = position;
      }
      at = position;
      if (position < range.to) return at; // full, or at the end of the block or of all
    }
    return at;
  }

  take(): { readonly numbers: Float64Array; readonly positions: Float64Array } {
    const count = this.count;
    this.count = 0;
    return { numbers: this.#numbers.slice(0, count), positions: this.#positions.slice(0, count) };
  }
}
