import { shownAddress } from "../storage/address.ts";
import type { Faults } from "../streams/faults.ts";
import type { SourceLayout } from "../streams/source.ts";
import type { IndexEntries } from "../tar/shard-index.ts";
import type { OpenIndex, ShardIndexes } from "./shard-indexes.ts";

/** How stored samples lie in shards: numbers from 0 on in shard-list order, then in the order of a shard. */
export class Layout {
  readonly shards: readonly OpenIndex[];
  /** Number of the first sample of each shard, and behind the last shard their count. */
  readonly starts: Float64Array;
  #recent = 0;
  #entries: readonly IndexEntries[] | undefined;

  constructor(shards: readonly OpenIndex[]) {
    this.shards = shards;
    this.starts = new Float64Array(shards.length + 1);
    shards.forEach(({ count }, i) => {
      this.starts[i + 1] = this.starts[i]! + count;
    });
  }

  /** Opens the indexes of shards, as many as hold the first `count` samples. A shard that has none to be had is a fault. */
  static async open(
    urls: readonly string[],
    count: number,
    indexes: ShardIndexes,
    { faults, signal }: { readonly faults?: Faults; readonly signal?: AbortSignal | undefined },
  ): Promise<Layout> {
    const shards: OpenIndex[] = [];
    for (let i = 0, total = 0; i < urls.length && total < count; i++) {
      signal?.throwIfAborted();
      try {
        const index = await indexes.open(urls[i]!, signal);
        shards.push(index);
        total += index.count;
      } catch (error) {
        if (faults === undefined) throw error;
        faults.shard(error, shownAddress(urls[i]!));
      }
    }
    return new Layout(shards);
  }

  get samples(): number {
    return this.starts.at(-1)!;
  }

  /** The shard that a sample lies in. */
  shardOf(number: number): number {
    const { starts } = this;
    if (number >= starts[this.#recent]! && number < starts[this.#recent + 1]!) return this.#recent;
    let low = 0;
    let high = starts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= number) low = middle;
      else high = middle - 1;
    }
    this.#recent = low;
    return low;
  }

  /** The shard of a sample, and its place there. */
  placeOf(number: number): { readonly shard: string; readonly index: number } {
    const shard = this.shardOf(number);
    return { shard: shownAddress(this.shards[shard]!.url), index: number - this.starts[shard]! };
  }

  /** What a forecast of a shuffle must know. Of compressed shards the bytes are those of the files. */
  async forForecast(isInterleaved: boolean): Promise<SourceLayout> {
    if (!this.shards.some(({ isCompressed }) => isCompressed)) await this.load();
    return {
      samples: this.samples,
      counts: this.shards.map(({ count }) => count),
      bytes: this.shards.reduce((sum, { size }) => sum + size, 0),
      isInterleaved,
      shardOf: (number) => this.shardOf(number),
      spanOf: (number) => this.spanOf(number),
    };
  }

  /** Loads all entries: {@link spanOf} needs them. */
  async load(): Promise<void> {
    const all: IndexEntries[] = [];
    for (const shard of this.shards) all.push(await shard.all());
    this.#entries = all;
  }

  /** Bytes that a sample takes in its shard. */
  spanOf(number: number): number {
    const shard = this.shardOf(number);
    return this.#entries![shard]!.span(number - this.starts[shard]!);
  }
}
