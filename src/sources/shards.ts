import type { SampleReaderOptions } from "../codec/reader.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { typeToJson } from "../schema/type-json.ts";
import { shownAddress } from "../storage/address.ts";
import { type ByteReader, countedBytes } from "../storage/byte-reader.ts";
import type { Budget } from "../streams/budget.ts";
import { type Chunk, recordOf, rowChunk } from "../streams/chunk.ts";
import type { Faults } from "../streams/faults.ts";
import { OPEN_SHARDS, RUN } from "../streams/interleaved-runs.ts";
import { laterStage } from "../streams/later.ts";
import type { Json, Stage } from "../streams/operator.ts";
import type { Choice } from "../streams/pick.ts";
import type { Meter } from "../streams/progress.ts";
import { hashNumbers, permutation } from "../streams/random.ts";
import type {
  DecodeRequest,
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
import type { Records, ShardReader } from "../tar/shard-reader.ts";
import { staleIndex } from "../tar/stale-index.ts";
import type { WindowMemory } from "../tar/window-memory.ts";
import { PickedShards, readPicked } from "./picked-shards.ts";
import type { IndexedShards } from "./read-picked.ts";
import type { OpenIndex, ShardIndexes } from "./shard-indexes.ts";

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
  #indexes: Promise<ShardIndexes> | undefined;

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
    if (reads === "raw") this.decoder = undefined;
    else
      this.decoder = { columns: reads === "msgpack" && type !== undefined, open: (request) => this.#decode(request) };
  }

  #decode(request: DecodeRequest): Stage {
    const type = this.type;
    if (this.reads === "files") {
      return laterStage(async () => (await import("./loaded-later.ts")).filesStage(type, request));
    }
    if (type === undefined) {
      return laterStage(async () => (await import("./loaded-later.ts")).dictSampleStage(request));
    }
    return laterStage(async () => (await import("./loaded-later.ts")).decodeStage(type, this.#options, request));
  }

  indexes(): Promise<ShardIndexes> {
    const members = this.reads === "msgpack" ? "msgpack" : "files";
    const { endMarker } = this.#options;
    this.#indexes ??= import("./loaded-later.ts").then(({ ShardIndexes }) => new ShardIndexes({ members, endMarker }));
    return this.#indexes;
  }

  only(shards: readonly string[]): ShardSource {
    return new ShardSource(shards, this.type, this.#options, this.reads);
  }

  async listShards(): Promise<readonly string[]> {
    return (await import("./loaded-later.ts")).expandPattern(this.#pattern);
  }

  /** What is wrong with a msgpack sample is told where it is decoded. */
  get mayFail(): boolean {
    return this.reads !== "msgpack";
  }

  restore(files: StoredFiles, trace: Trace): Chunk {
    const bytes = files.parts.get("msgpack");
    return this.reads === "msgpack" && bytes !== undefined ? recordOf(bytes, trace) : rowChunk([files], trace);
  }

  /** What the offset indexes beside the shards tell, where each has one. */
  async count(): Promise<number | undefined> {
    const indexes = await this.indexes();
    let samples = 0;
    for (const url of await this.listShards()) {
      const index = await indexes.peek(url).catch(() => undefined);
      if (index === undefined) return undefined;
      samples += index.count;
    }
    return samples;
  }

  async size(): Promise<number | undefined> {
    return (await import("./loaded-later.ts")).sizeOfAll(await this.listShards());
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
    const { Layout } = await import("./loaded-later.ts");
    const { shards } = await Layout.open(await this.listShards(), Infinity, await this.indexes(), {});
    return shards.map(({ url, count }) => ({ shard: shownAddress(url), samples: count }));
  }

  pick(pick: Choice): PickedShards {
    return new PickedShards(this, [pick]);
  }

  async find(key: string, signal?: AbortSignal): Promise<number | undefined> {
    return (await import("./loaded-later.ts")).findKey(this, [], key, signal);
  }

  async layout(signal?: AbortSignal): Promise<SourceLayout> {
    const { Layout } = await import("./loaded-later.ts");
    const layout = await Layout.open(await this.listShards(), Infinity, await this.indexes(), { signal });
    return layout.forForecast(true);
  }

  async *#inOrder({ from, share, faults, signal, meter, budget }: SourceRequest): AsyncGenerator<Chunk> {
    const shards = await this.listShards();
    signal.throwIfAborted();
    const memory = await this.#windows(1, budget);
    let position = 0;
    let range = share.next(from);
    for (const url of shards) {
      if (range === undefined) return;
      const shard = new OpenShard(url, this.#options, this.reads, memory, faults, signal, this, meter);
      try {
        while (!shard.ended && range !== undefined) {
          if (position < range.from || shard.isLost) {
            position += await shard.skip(shard.isLost ? Infinity : range.from - position);
            if (position > range.from) range = share.next(position);
            continue;
          }
          const records = await shard.read(Math.min(CHUNK_ROWS, range.to - position));
          if (records === undefined) continue;
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
    const memory = await this.#windows(slots, budget);
    const open = (url: string): OpenShard =>
      new OpenShard(url, this.#options, this.reads, memory, faults, signal, this, meter);
    const turn = waiting.splice(0, slots).map(open);
    if (from > 0) await Promise.all(turn.map((shard) => shard.findIndex()));
    let position = 0;
    let range = share.next(from);
    try {
      for (let slot = 0; turn.length > 0 && range !== undefined; ) {
        const shard = turn[slot]!;
        for (let left = RUN; left > 0 && !shard.ended && range !== undefined; ) {
          if (position < range.from || shard.isLost) {
            const count = shard.isLost ? left : Math.min(left, range.from - position);
            // Of many runs none waits for anything.
            const skipped = shard.skipCounted(count) ?? (await shard.skip(count));
            position += skipped;
            left -= skipped;
            if (position > range.from) range = share.next(position);
            continue;
          }
          const records = await shard.read(Math.min(left, range.to - position));
          if (records === undefined) continue;
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
  async #windows(shards: number, budget: Budget | undefined): Promise<WindowMemory> {
    const { WindowMemory } = await import("./loaded-later.ts");
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
  readonly #shards: IndexedShards;
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
  /** It cannot be read on. Its samples keep their numbers, as whoever passes over it by its index counts them. */
  isLost = false;

  constructor(
    url: string,
    options: ShardOptions,
    reads: SamplesAs,
    memory: WindowMemory,
    faults: Faults,
    signal: AbortSignal,
    shards: IndexedShards,
    meter: Meter | undefined,
  ) {
    this.#shards = shards;
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
    if (this.#offsets !== undefined) return this.#offsets;
    const indexes = await this.#shards.indexes();
    this.#offsets ??= await indexes.peek(this.#url, this.#signal).catch(() => undefined); // it is read without
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
      if (this.#wantedHash !== undefined && found !== undefined) await this.#checkFirst(found);
      return found;
    });
    if (records === undefined) this.ended = !this.isLost;
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
      await this.#end();
      return undefined;
    }
  }

  async #open(): Promise<ShardReader> {
    const { decompress, openBytes, ShardReader } = await import("./loaded-later.ts");
    const bytes = await openBytes(this.#url, { signal: this.#signal });
    this.#closed = this.#meter?.openShard?.(shownAddress(this.#url));
    const source = await decompress(countedBytes(bytes, this.#meter));
    let reader: ByteReader | ShardReader = source;
    try {
      const { start, passed } = await this.#startOf(source);
      const samples = new ShardReader(source, {
        url: this.#url,
        members: this.#reads === "msgpack" ? "msgpack" : "files",
        start,
        memory: this.#memory,
        ...(this.#options.endMarker && { endMarker: this.#options.endMarker }),
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
    const { sizeOf } = await import("./loaded-later.ts");
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
  async #checkFirst({ keys }: Records): Promise<void> {
    const isRight = this.#wantedHash === undefined || hashOfKey(keys.at(0)) === this.#wantedHash;
    this.#wantedHash = undefined;
    if (isRight) return;
    (await this.#shards.indexes()).forget(this.#url);
    throw staleIndex(shownAddress(this.#url));
  }

  /** It is another shard's turn: what was read has been used. */
  rest(): void {
    this.#reader?.rest();
  }

  async close(): Promise<void> {
    const [reader, closed] = [this.#reader, this.#closed];
    [this.#reader, this.#closed] = [undefined, undefined];
    for (const warning of reader?.warnings ?? []) this.#faults.warn(`${shownAddress(this.#url)}: ${warning}`);
    await reader?.close();
    closed?.();
  }
}
