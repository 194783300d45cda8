import { Faults } from "../streams/faults.ts";
import { type Choice, countNeeded, type Order, pickFrom, wholeOrder } from "../streams/pick.ts";
import { hashOfKey } from "../tar/key-hash.ts";
import { Layout } from "./layout.ts";
import { RandomReader } from "./random-reader.ts";
import type { IndexedShards } from "./read-picked.ts";

/** The place, among what was picked, of the first sample with a key. Indexes are loaded one after another, until it is found. */
export async function findKey(
  shards: IndexedShards,
  picks: readonly Choice[],
  key: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<number | undefined> {
  const { reads } = shards;
  const indexes = await shards.indexes();
  const hash = hashOfKey(key);
  const layout = await Layout.open(await shards.listShards(), countNeeded(picks), indexes, { signal });
  const order = picks.reduce(pickFrom, wholeOrder(layout.samples) as Order);
  const onStale = (url: string): void => indexes.forget(url);
  const faults = new Faults("raise", signal);
  const reader = new RandomReader(layout, { reads, onStale, isMany: false, faults, signal });
  /** A hash is no proof: the header is. */
  const isAt = async (number: number): Promise<boolean> => {
    const one = Float64Array.of(number);
    for await (const { trace } of reader.read({ numbers: one, positions: one }, Infinity)) {
      return trace.origin(0).key === key;
    }
    return false;
  };
  try {
    let place = 0; // picks keep the stored order, so one walk over both finds the first
    for (const [shard, index] of layout.shards.entries()) {
      const start = layout.starts[shard]!;
      const entries = await index.all();
      for (let at = entries.find(hash, 0); at >= 0; at = entries.find(hash, at + 1)) {
        const number = start + at;
        while (place < order.length && order.at(place) < number) place++;
        if (place === order.length) return undefined;
        if (order.at(place) === number && (await isAt(number))) return place;
      }
    }
    return undefined;
  } finally {
    await reader.close();
  }
}
