import { shownAddress } from "../storage/address.ts";
import { type ByteReader, countedBytes } from "../storage/byte-reader.ts";
import { decompress } from "../storage/compression/decompress.ts";
import { openBytes } from "../storage/open.ts";
import type { Chunk } from "../streams/chunk.ts";
import type { Faults } from "../streams/faults.ts";
import type { Meter } from "../streams/progress.ts";
import { rawChunks, recordChunk } from "../tar/chunks.ts";
import { hashOfKey } from "../tar/key-hash.ts";
import { type Records, ShardReader } from "../tar/shard-reader.ts";
import { staleIndex } from "../tar/stale-index.ts";
import type { WindowMemory } from "../tar/window-memory.ts";
import { type OpenIndex, type ShardIndexes, sizeOf } from "./shard-indexes.ts";
import type { SamplesAs, ShardOptions } from "./shards.ts";

/** What the shards of one pass have in common. */
export interface ShardPass {
  readonly options: ShardOptions;
  readonly reads: SamplesAs;
  readonly indexes: ShardIndexes;
  readonly memory: WindowMemory;
  readonly faults: Faults;
  readonly signal: AbortSignal;
  readonly meter: Meter | undefined;
}

/** A shard in a pass: opened when first read; what is wrong with it goes to the run's faults, and ends it. */
export class OpenShard {
  readonly #url: string;
  readonly #pass: ShardPass;
  #closed: (() => void) | undefined;
  #reader: ShardReader | undefined;
  /** Samples read or passed over. */
  #index = 0;
  /** The shard's offset index, by which samples are passed over before the shard is opened. */
  #offsets: OpenIndex | undefined;
  /** That of the key of the first sample, where the index led to it. */
  #wantedHash: number | undefined;
  ended = false;
  /** It cannot be read on. Its samples keep their numbers, as whoever passes over it by its index counts them. */
  isLost = false;

  constructor(url: string, pass: ShardPass) {
    this.#url = url;
    this.#pass = pass;
  }

  /** Passes over up to `count` samples; how many there were. */
  async skip(count: number): Promise<number> {
    await this.findIndex();
    const counted = this.skipCounted(count);
    if (counted !== undefined) return counted;
    const skipped = await this.#guarded(async (reader) => reader.skip(count));
    if (skipped === undefined) return this.skipCounted(count) ?? 0;
    this.#index += skipped;
    if (skipped < count) await this.#end();
    return skipped;
  }

  /** Nothing more can be read: whether that is the end, or its index knows of more. */
  async #end(): Promise<void> {
    this.isLost = this.#index < ((await this.#peek())?.count ?? 0);
    this.ended = !this.isLost;
  }

  /** Looks for an index, by which samples are passed over without a look at the shard. */
  async findIndex(): Promise<void> {
    if (this.#reader === undefined && !this.ended) await this.#peek();
  }

  async #peek(): Promise<OpenIndex | undefined> {
    this.#offsets ??= await this.#pass.indexes.peek(this.#url, this.#pass.signal).catch(() => undefined); // it is read without
    return this.#offsets;
  }

  /** Passes over samples of a shard that was not read yet, or is lost, if its index tells how many there are. */
  skipCounted(count: number): number | undefined {
    if (this.#offsets === undefined || (this.#reader !== undefined && !this.isLost) || this.ended) return undefined;
    const skipped = Math.min(count, this.#offsets.count - this.#index);
    this.#index += skipped;
    if (skipped < count) this.ended = true;
    return skipped;
  }

  /** Up to `count` samples, at least one; undefined at the end. */
  async read(count: number): Promise<Records | undefined> {
    const records = await this.#guarded(async (reader) => {
      const found = await reader.read(count);
      if (this.#wantedHash !== undefined && found !== undefined) this.#checkFirst(found);
      return found;
    });
    if (records === undefined) this.ended = !this.isLost;
    else this.#index += records.length;
    return records;
  }

  /** What was just read, numbered from `position` on. */
  chunks(records: Records, position: number): Iterable<Chunk> {
    if (this.#pass.meter !== undefined) this.#pass.meter.samples += records.length;
    const origin = { shard: shownAddress(this.#url), first: this.#index - records.length, keys: records.keys };
    if (this.#pass.reads === "msgpack") return [recordChunk(records, position, origin)];
    return rawChunks(records, position, origin, this.#pass.faults);
  }

  async #guarded<R>(use: (reader: ShardReader) => Promise<R>): Promise<R | undefined> {
    if (this.ended) return undefined;
    try {
      this.#pass.signal.throwIfAborted();
      this.#reader ??= await this.#open();
      return await use(this.#reader);
    } catch (error) {
      this.ended = true;
      this.#pass.faults.shard(error, shownAddress(this.#url), this.#index);
      await this.#end();
      return undefined;
    }
  }

  async #open(): Promise<ShardReader> {
    const bytes = await openBytes(this.#url, { signal: this.#pass.signal });
    this.#closed = this.#pass.meter?.openShard?.(shownAddress(this.#url));
    const source = await decompress(countedBytes(bytes, this.#pass.meter));
    let reader: ByteReader | ShardReader = source;
    try {
      const { start, passed } = await this.#startOf(source);
      const samples = new ShardReader(source, {
        url: this.#url,
        members: this.#pass.reads === "msgpack" ? "msgpack" : "files",
        start,
        memory: this.#pass.memory,
        ...(this.#pass.options.endMarker && { endMarker: this.#pass.options.endMarker }),
      });
      reader = samples;
      if (passed < this.#index) await samples.skip(this.#index - passed);
      return samples;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  /** Goes by the index to the first sample that is wanted, or near it; where that is, and how many lie before. */
  async #startOf(source: ByteReader): Promise<{ readonly start: number; readonly passed: number }> {
    const index = this.#offsets;
    if (index === undefined || this.#index === 0) return { start: 0, passed: 0 };
    if ((await sizeOf(this.#url)) !== index.size) throw staleIndex(shownAddress(this.#url), "it has another size");
    if (index.isCompressed || source.skip === undefined) return { start: 0, passed: 0 };
    // Behind the last sample the end of the shard is still to be looked at.
    const passed = Math.min(this.#index, index.count - 1);
    const entries = await index.some(passed, passed + 1);
    // A second member of one name is at fault because of the first.
    if (entries.nth(passed) > 0) return { start: 0, passed: 0 };
    if (passed === this.#index) this.#wantedHash = entries.hash(passed);
    return { start: await source.skip(entries.offset(passed)), passed };
  }

  /** What the index led to must be what it says. */
  #checkFirst({ keys }: Records): void {
    const isRight = this.#wantedHash === undefined || hashOfKey(keys.at(0)) === this.#wantedHash;
    this.#wantedHash = undefined;
    if (isRight) return;
    this.#pass.indexes.forget(this.#url);
    throw staleIndex(shownAddress(this.#url));
  }

  /** It is another shard's turn: what was read has been used. */
  rest(): void {
    this.#reader?.rest();
  }

  async close(): Promise<void> {
    const [reader, closed] = [this.#reader, this.#closed];
    [this.#reader, this.#closed] = [undefined, undefined];
    for (const warning of reader?.warnings ?? []) this.#pass.faults.warn(`${shownAddress(this.#url)}: ${warning}`);
    await reader?.close();
    closed?.();
  }
}
