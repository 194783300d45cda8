import { decodeStage } from "../codec/decode-stage.ts";
import type { SampleReaderOptions } from "../codec/reader.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { typeToJson } from "../schema/type-json.ts";
import { shownAddress } from "../storage/address.ts";
import { decompress } from "../storage/compression/decompress.ts";
import { openBytes } from "../storage/open.ts";
import { expandPattern } from "../storage/patterns.ts";
import type { Chunk } from "../streams/chunk.ts";
import { Faults } from "../streams/faults.ts";
import type { Json } from "../streams/operator.ts";
import { hashNumbers, permutation } from "../streams/random.ts";
import type { Decoder, Interleave, SampleCount, Source, SourceRequest } from "../streams/source.ts";
import { rawChunks, recordChunk } from "../tar/chunks.ts";
import { type Records, ShardReader } from "../tar/shard-reader.ts";
import { dictSampleStage } from "./decode-untyped.ts";
import { filesStage } from "./files.ts";

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

/** Shards open at once in a shuffled pass, and samples taken from one before it is the next one's turn: part of the order. */
const OPEN_SHARDS = 64;
const RUN = 64;

/** Samples read at once from a shard that nobody interleaves. */
const CHUNK_ROWS = 256;

/** Bytes of all read windows of a pass, shared by the shards that are open, and the least and most of one. */
const WINDOWS_BYTES = 16 << 20;
const MIN_WINDOW = 64 << 10;
const MAX_WINDOW = 512 << 10;

/** Tar shards, on disk or behind http(s): msgpack samples of a type, of any type, or samples of several files. */
export class ShardSource implements Source {
  readonly name = "shards";
  readonly type: AnySampleType | undefined;
  readonly decoder: Decoder | undefined;
  readonly #pattern: string | readonly string[];
  readonly #options: ShardOptions;
  readonly #reads: SamplesAs;

  constructor(
    pattern: string | readonly string[],
    type: AnySampleType | undefined,
    options: ShardOptions,
    reads: SamplesAs = "msgpack",
  ) {
    this.#pattern = pattern;
    this.type = type;
    this.#options = options;
    this.#reads = reads;
    if (reads === "files") this.decoder = { columns: false, open: (request) => filesStage(type, request) };
    else if (reads === "raw") this.decoder = undefined;
    else if (type === undefined) this.decoder = { columns: false, open: dictSampleStage };
    else this.decoder = { columns: true, open: (request) => decodeStage(type, options, request) };
  }

  only(shards: readonly string[]): ShardSource {
    return new ShardSource(shards, this.type, this.#options, this.#reads);
  }

  listShards(): Promise<readonly string[]> {
    return expandPattern(this.#pattern);
  }

  async address(): Promise<Json> {
    const { type } = this;
    return {
      source: "shards",
      shards: await this.listShards(),
      type: type === undefined ? null : typeToJson(type),
      options: { ...this.#options },
      reads: this.#reads,
    };
  }

  async describe(): Promise<Json> {
    const names = (await this.listShards()).map((url) => shownAddress(url).replace(/^.*[\\/]/, ""));
    return { shards: names, type: (await this.type?.cid()) ?? null, reads: this.#reads, ...this.#options };
  }

  read(request: SourceRequest): AsyncIterable<Chunk> {
    const { interleave } = request;
    return interleave === undefined ? this.#inOrder(request) : this.#interleaved(interleave, request);
  }

  async counts(): Promise<readonly SampleCount[]> {
    const counts: SampleCount[] = [];
    for (const url of await this.listShards()) {
      const signal = new AbortController().signal;
      const shard = new OpenShard(url, this.#options, this.#reads, MAX_WINDOW, new Faults("raise", signal), signal);
      try {
        counts.push({ shard: shownAddress(url), samples: await shard.skip(Number.POSITIVE_INFINITY) });
      } finally {
        await shard.close();
      }
    }
    return counts;
  }

  async *#inOrder({ from, share, faults, signal }: SourceRequest): AsyncGenerator<Chunk> {
    const shards = await this.listShards();
    signal.throwIfAborted();
    let position = 0;
    let range = share.next(from);
    for (const url of shards) {
      if (range === undefined) return;
      const shard = new OpenShard(url, this.#options, this.#reads, MAX_WINDOW, faults, signal);
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
  }

  async *#interleaved(
    { seed, epoch }: Interleave,
    { from, share, faults, signal }: SourceRequest,
  ): AsyncGenerator<Chunk> {
    const shards = await this.listShards();
    signal.throwIfAborted();
    const waiting = Array.from(permutation(shards.length, hashNumbers(seed, epoch)), (i) => shards[i]!);
    const slots = Math.min(OPEN_SHARDS, shards.length);
    const windowBytes = Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, WINDOWS_BYTES / slots));
    const open = (url: string): OpenShard =>
      new OpenShard(url, this.#options, this.#reads, windowBytes, faults, signal);
    const turn = waiting.splice(0, slots).map(open);
    let position = 0;
    let range = share.next(from);
    try {
      for (let slot = 0; turn.length > 0 && range !== undefined; ) {
        const shard = turn[slot]!;
        for (let left = RUN; left > 0 && !shard.ended && range !== undefined; ) {
          if (position < range.from) {
            const skipped = await shard.skip(Math.min(left, range.from - position));
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
    }
  }
}

/** A shard in a pass: opened when first read; what is wrong with it goes to the run's faults, and ends it. */
class OpenShard {
  readonly #url: string;
  readonly #options: ShardOptions;
  readonly #reads: SamplesAs;
  readonly #windowBytes: number;
  readonly #faults: Faults;
  readonly #signal: AbortSignal;
  #reader: ShardReader | undefined;
  /** Samples read or passed over. */
  #index = 0;
  ended = false;

  constructor(
    url: string,
    options: ShardOptions,
    reads: SamplesAs,
    windowBytes: number,
    faults: Faults,
    signal: AbortSignal,
  ) {
    this.#url = url;
    this.#options = options;
    this.#reads = reads;
    this.#windowBytes = windowBytes;
    this.#faults = faults;
    this.#signal = signal;
  }

  /** Passes over up to `count` samples; how many there were. */
  async skip(count: number): Promise<number> {
    const skipped = (await this.#guarded(async (reader) => reader.skip(count))) ?? 0;
    this.#index += skipped;
    if (skipped < count) this.ended = true;
    return skipped;
  }

  /** Up to `count` samples, at least one; undefined at the end. */
  async read(count: number): Promise<Records | undefined> {
    const records = await this.#guarded((reader) => reader.read(count));
    if (records === undefined) this.ended = true;
    else this.#index += records.length;
    return records;
  }

  /** What was just read, numbered from `position` on. */
  chunks(records: Records, position: number): Iterable<Chunk> {
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
      this.#faults.shard(error, shownAddress(this.#url));
      return undefined;
    }
  }

  async #open(): Promise<ShardReader> {
    const bytes = await openBytes(this.#url, { signal: this.#signal });
    return new ShardReader(await decompress(bytes), {
      url: this.#url,
      members: this.#reads === "msgpack" ? "msgpack" : "files",
      windowBytes: this.#windowBytes,
      ...(this.#options.endMarker && { endMarker: this.#options.endMarker }),
    });
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) return;
    for (const warning of reader.warnings) this.#faults.warn(`${shownAddress(this.#url)}: ${warning}`);
    await reader.close();
  }
}
