import type { SampleReaderOptions } from "../codec/reader.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { typeToJson } from "../schema/type-json.ts";
import { shownAddress } from "../storage/address.ts";
import type { Budget } from "../streams/budget.ts";
import { type Chunk, recordOf, rowChunk } from "../streams/chunk.ts";
import { OPEN_SHARDS, RUN } from "../streams/interleaved-runs.ts";
import { laterStage } from "../streams/later.ts";
import type { Json, Stage } from "../streams/operator.ts";
import type { Choice } from "../streams/pick.ts";
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
import type { WindowMemory } from "../tar/window-memory.ts";
import type { OpenShard, ShardPass } from "./open-shard.ts";
import { PickedShards, readPicked } from "./picked-shards.ts";
import type { IndexedShards } from "./read-picked.ts";
import type { ShardIndexes } from "./shard-indexes.ts";

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

  async countByShard(): Promise<readonly SampleCount[]> {
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

  async *#inOrder(request: SourceRequest): AsyncGenerator<Chunk> {
    const { from, share, signal } = request;
    const shards = await this.listShards();
    signal.throwIfAborted();
    const { OpenShard } = await import("./loaded-later.ts");
    const pass = await this.#pass(request, 1);
    let position = 0;
    let range = share.next(from);
    for (const url of shards) {
      if (range === undefined) return;
      const shard = new OpenShard(url, pass);
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
    pass.memory.close();
  }

  async *#interleaved({ seed, epoch }: Interleave, request: SourceRequest): AsyncGenerator<Chunk> {
    const { from, share, signal } = request;
    const shards = await this.listShards();
    signal.throwIfAborted();
    const waiting = Array.from(permutation(shards.length, hashNumbers(seed, epoch)), (i) => shards[i]!);
    const slots = Math.min(OPEN_SHARDS, shards.length);
    const { OpenShard } = await import("./loaded-later.ts");
    const pass = await this.#pass(request, slots);
    const open = (url: string): OpenShard => new OpenShard(url, pass);
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
      pass.memory.close();
    }
  }

  /** What a pass needs that reads from so many shards at once. */
  async #pass({ faults, signal, meter, budget }: SourceRequest, shards: number): Promise<ShardPass> {
    const memory = await this.#windows(shards, budget);
    return { options: this.#options, reads: this.reads, indexes: await this.indexes(), memory, faults, signal, meter };
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
