import { decodeStage } from "../codec/decode-stage.ts";
import type { SampleReaderOptions } from "../codec/reader.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { typeToJson } from "../schema/type-json.ts";
import { shownAddress } from "../storage/address.ts";
import { type ByteReader, countedBytes } from "../storage/byte-reader.ts";
import { decompress } from "../storage/compression/decompress.ts";
import { sizeOfAll } from "../storage/files.ts";
import { openBytes } from "../storage/open.ts";
import { expandPattern } from "../storage/patterns.ts";
import type { Budget } from "../streams/budget.ts";
import { type Chunk, recordOf, rowChunk } from "../streams/chunk.ts";
import type { Faults } from "../streams/faults.ts";
import { OPEN_SHARDS, RUN } from "../streams/interleaved-runs.ts";
import type { Json } from "../streams/operator.ts";
import type { Choice } from "../streams/pick.ts";
import type { Meter } from "../streams/progress.ts";
import { hashNumbers, permutation } from "../streams/random.ts";
import type {
  Decoder,
  Interleave,
  SampleCount,
  Source,
  SourceLayout,
  SourceRequest,
  StoredFiles,
} from "../streams/source.ts";
import type { Trace } from "../streams/trace.ts";
import { rawChunks, recordChunk } from "../tar/chunks.ts";
import { hashOfKey } from "../tar/key-hash.ts";
import { type Records, ShardReader } from "../tar/shard-reader.ts";
import { staleIndex } from "../tar/span-reader.ts";
import { WindowMemory } from "../tar/window-memory.ts";
import { dictSampleStage } from "./decode-untyped.ts";
import { filesStage } from "./files.ts";
import { findKey } from "./find-key.ts";
import { Layout } from "./layout.ts";
import { PickedShards } from "./picked-shards.ts";
import { type IndexedShards, readPicked } from "./read-picked.ts";
import { type OpenIndex, ShardIndexes, sizeOf } from "./shard-indexes.ts";

/** How shards are read. */
export interface ShardOptions extends Pick<SampleReaderOptions, "unknownFields"> {
  /**
   * Whether a shard must end with two zero blocks, as tar asks. `"optional"` accepts archives without them, and then cannot
   * tell a shard that was cut between two samples. @default "required"
   */
  readonly endMarker?: "required" | "optional";
}

/** What a sample is: its msgpack file, all its files decoded, or all its files as they are. */
export type SamplesAs = "msgpack" | "files" | "raw";

/** Samples read at once from a shard that nobody interleaves. */
const CHUNK_ROWS = 256;

/** Bytes of all read windows of a pass, shared by the shards that are open, and the least and most of one. */
const WINDOWS_BYTES = 16 << 20;
const MIN_WINDOW = 64 << 10;
/** Under a budget that is smaller than these need, there are smaller windows. */
const TINY_WINDOW = 4 << 10;
const MAX_WINDOW = 512 << 10;

/** Tar shards, on disk or behind http(s): msgpack samples of a type, of any type, or samples of several files. */
export class ShardSource implements Source, IndexedShards {
  readonly name = "shards";
  readonly permutes = true;
  readonly type: AnySampleType | undefined;
  readonly decoder: Decoder | undefined;
  readonly #pattern: string | readonly string[];
  readonly #options: ShardOptions;
  readonly reads: SamplesAs;
  readonly indexes: ShardIndexes;

  constructor(
    pattern: string | readonly string[],
    type: AnySampleType | undefined,
    options: ShardOptions,
    reads: SamplesAs = "msgpack",
  ) {
    this.#pattern = pattern;
    this.type = type;
    this.#options = options;
    this.reads = reads;
    this.indexes = new ShardIndexes({
      members: reads === "msgpack" ? "msgpack" : "files",
      endMarker: options.endMarker,
    });
    if (reads === "files") this.decoder = { columns: false, open: (request) => filesStage(type, request) };
    else if (reads === "raw") this.decoder = undefined;
    else if (type === undefined) this.decoder = { columns: false, open: dictSampleStage };
    else this.decoder = { columns: true, open: (request) => decodeStage(type, options, request) };
  }

  only(shards: readonly string[]): ShardSource {
    return new ShardSource(shards, this.type, this.#options, this.reads);
  }

  listShards(): Promise<readonly string[]> {
    return expandPattern(this.#pattern);
  }

  restore(files: StoredFiles, trace: Trace): Chunk {
    const bytes = files.parts.get("msgpack");
    return this.reads === "msgpack" && bytes !== undefined ? recordOf(bytes, trace) : rowChunk([files], trace);
  }

  /** What the offset indexes beside the shards tell, where each has one. */
  async count(): Promise<number | undefined> {
    let samples = 0;
    for (const url of await this.listShards()) {
      const index = await this.indexes.peek(url).catch(() => undefined);
      if (index === undefined) return undefined;
      samples += index.count;
    }
    return samples;
  }

  async size(): Promise<number | undefined> {
    return sizeOfAll(await this.listShards());
  }

  async address(): Promise<Json> {
    const { type } = this;
    return {
      source: "shards",
      shards: await this.listShards(),
      type: type === undefined ? null : typeToJson(type),
      options: { ...this.#options },
      reads: this.reads,
    };
  }

  async describe(): Promise<Json> {
    const names = (await this.listShards()).map((url) => shownAddress(url).replace(/^.*[\\/]/, ""));
    return { shards: names, type: (await this.type?.cid()) ?? null, reads: this.reads, ...this.#options };
  }

  read(request: SourceRequest): AsyncIterable<Chunk> {
    const { interleave, permute } = request;
    if (permute !== undefined) return readPicked(this, [], request);
    return interleave === undefined ? this.#inOrder(request) : this.#interleaved(interleave, request);
  }

  async counts(): Promise<readonly SampleCount[]> {
    const { shards } = await Layout.open(await this.listShards(), Infinity, this.indexes, {});
    return shards.map(({ url, count }) => ({ shard: shownAddress(url), samples: count }));
  }

  pick(pick: Choice): PickedShards {
    return new PickedShards(this, [pick]);
  }

  find(key: string, signal?: AbortSignal): Promise<number | undefined> {
    return findKey(this, [], key, signal);
  }

  async layout(signal?: AbortSignal): Promise<SourceLayout> {
    const layout = await Layout.open(await this.listShards(), Infinity, this.indexes, { signal });
    return layout.forForecast(true);
  }

  async *#inOrder({ from, share, faults, signal, meter, budget }: SourceRequest): AsyncGenerator<Chunk> {
    const shards = await this.listShards();
    signal.throwIfAborted();
    const memory = this.#windows(1, budget);
    let position = 0;
    let range = share.next(from);
    for (const url of shards) {
      if (range === undefined) return;
      const shard = new OpenShard(url, this.#options, this.reads, memory, faults, signal, this.indexes, meter);
      try {
        while (!shard.ended && range !== undefined) {
          if (position < range.from) {
            position += await shard.skip(range.from - position);
            continue;
          }
          const records = await shard.read(Math.min(CHUNK_ROWS, range.to - position));
          if (records === undefined) break;
          for (const chunk of shard.chunks(records, position)) yield chunk;
          position += records.length;
          if (position === range.to) range = share.next(position);
        }
      } finally {
        await shard.close();
      }
    }
    memory.close();
  }

  async *#interleaved(
    { seed, epoch }: Interleave,
    { from, share, faults, signal, meter, budget }: SourceRequest,
  ): AsyncGenerator<Chunk> {
    const shards = await this.listShards();
    signal.throwIfAborted();
    const waiting = Array.from(permutation(shards.length, hashNumbers(seed, epoch)), (i) => shards[i]!);
    const slots = Math.min(OPEN_SHARDS, shards.length);
    const memory = this.#windows(slots, budget);
    const open = (url: string): OpenShard =>
      new OpenShard(url, this.#options, this.reads, memory, faults, signal, this.indexes, meter);
    const turn = waiting.splice(0, slots).map(open);
    if (from > 0) await Promise.all(turn.map((shard) => shard.findIndex()));
    let position = 0;
    let range = share.next(from);
    try {
      for (let slot = 0; turn.length > 0 && range !== undefined; ) {
        const shard = turn[slot]!;
        for (let left = RUN; left > 0 && !shard.ended && range !== undefined; ) {
          if (position < range.from) {
            const count = Math.min(left, range.from - position);
            // Of many runs none waits for anything.
            const skipped = shard.skipCounted(count) ?? (await shard.skip(count));
            position += skipped;
            left -= skipped;
            continue;
          }
          const records = await shard.read(Math.min(left, range.to - position));
          if (records === undefined) break;
          for (const chunk of shard.chunks(records, position)) yield chunk;
          position += records.length;
          left -= records.length;
          if (position === range.to) range = share.next(position);
        }
        if (!shard.ended) {
          shard.rest();
          slot = (slot + 1) % turn.length;
          continue;
        }
        await shard.close();
        const next = waiting.shift();
        if (next !== undefined) {
          turn[slot] = open(next);
          slot = (slot + 1) % turn.length;
        } else {
          turn.splice(slot, 1);
          if (slot === turn.length) slot = 0;
        }
      }
    } finally {
      await Promise.all(turn.map((shard) => shard.close()));
      memory.close();
    }
  }

  /** Memory for the windows of so many shards at once. */
  #windows(shards: number, budget: Budget | undefined): WindowMemory {
    const usual = Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, WINDOWS_BYTES / shards));
    if (budget === undefined) return new WindowMemory(usual);
    const share = Math.max(TINY_WINDOW, Math.min(usual, budget.windows / shards));
    return new WindowMemory(share, budget.holder("read", 1, this));
  }
}

/** A shard in a pass: opened when first read; what is wrong with it goes to the run's faults, and ends it. */
class OpenShard {
  readonly #url: string;
  readonly #options: ShardOptions;
  readonly #reads: SamplesAs;
  readonly #memory: WindowMemory;
  readonly #faults: Faults;
  readonly #signal: AbortSignal;
  readonly #indexes: ShardIndexes;
  readonly #meter: Meter | undefined;
  #closed: (() => void) | undefined;
  #reader: ShardReader | undefined;
  /** Samples read or passed over. */
  #index = 0;
  /** The shard's offset index, by which samples are passed over before the shard is opened. */
  #offsets: OpenIndex | undefined;
  /** That of the key of the first sample, where the index led to it. */
  #wantedHash: number | undefined;
  ended = false;

  constructor(
    url: string,
    options: ShardOptions,
    reads: SamplesAs,
    memory: WindowMemory,
    faults: Faults,
    signal: AbortSignal,
    indexes: ShardIndexes,
    meter: Meter | undefined,
  ) {
    this.#indexes = indexes;
    this.#url = url;
    this.#options = options;
    this.#reads = reads;
    this.#memory = memory;
    this.#faults = faults;
    this.#signal = signal;
    this.#meter = meter;
  }

  /** Passes over up to `count` samples; how many there were. */
  async skip(count: number): Promise<number> {
    await this.findIndex();
    const counted = this.skipCounted(count);
    if (counted !== undefined) return counted;
    const skipped = (await this.#guarded(async (reader) => reader.skip(count))) ?? 0;
    this.#index += skipped;
    if (skipped < count) this.ended = true;
    return skipped;
  }

  /** Looks for an index, by which samples are passed over without a look at the shard. */
  async findIndex(): Promise<void> {
    if (this.#reader !== undefined || this.ended) return;
    this.#offsets ??= await this.#indexes.peek(this.#url, this.#signal).catch(() => undefined); // it is read without
  }

  /** Passes over samples of a shard that was not read yet, if its index tells how many there are. */
  skipCounted(count: number): number | undefined {
    if (this.#offsets === undefined || this.#reader !== undefined || this.ended) return undefined;
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
    if (records === undefined) this.ended = true;
    else this.#index += records.length;
    return records;
  }

  /** What was just read, numbered from `position` on. */
  chunks(records: Records, position: number): Iterable<Chunk> {
    if (this.#meter !== undefined) this.#meter.samples += records.length;
    const origin = { shard: shownAddress(this.#url), first: this.#index - records.length, keys: records.keys };
    if (this.#reads === "msgpack") return [recordChunk(records, position, origin)];
    return rawChunks(records, position, origin, this.#faults);
  }

  async #guarded<R>(use: (reader: ShardReader) => Promise<R>): Promise<R | undefined> {
    if (this.ended) return undefined;
    try {
      this.#signal.throwIfAborted();
      this.#reader ??= await this.#open();
      return await use(this.#reader);
    } catch (error) {
      this.ended = true;
      this.#faults.shard(error, shownAddress(this.#url), this.#index);
      return undefined;
    }
  }

  async #open(): Promise<ShardReader> {
    const bytes = await openBytes(this.#url, { signal: this.#signal });
    this.#closed = this.#meter?.openShard?.(shownAddress(this.#url));
    const source = await decompress(countedBytes(bytes, this.#meter));
    let at: { readonly start: number; readonly passed: number };
    try {
      at = await this.#startOf(source);
    } catch (error) {
      await source.close();
      throw error;
    }
    const { start, passed } = at;
    const reader = new ShardReader(source, {
      url: this.#url,
      members: this.#reads === "msgpack" ? "msgpack" : "files",
      start,
      memory: this.#memory,
      ...(this.#options.endMarker && { endMarker: this.#options.endMarker }),
    });
    if (passed < this.#index) await reader.skip(this.#index - passed);
    return reader;
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
    this.#indexes.forget(this.#url);
    throw staleIndex(shownAddress(this.#url));
  }

  /** It is another shard's turn: what was read has been used. */
  rest(): void {
    this.#reader?.rest();
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) return;
    for (const warning of reader.warnings) this.#faults.warn(`${shownAddress(this.#url)}: ${warning}`);
    await reader.close();
    this.#closed?.();
  }
}
