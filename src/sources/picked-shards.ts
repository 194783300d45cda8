import type { AnySampleType } from "../schema/sample.ts";
import type { Chunk } from "../streams/chunk.ts";
import { later } from "../streams/later.ts";
import type { Json } from "../streams/operator.ts";
import type { Choice } from "../streams/pick.ts";
import type { Decoder, Source, SourceRequest, StoredFiles } from "../streams/source.ts";
import type { Trace } from "../streams/trace.ts";
import type { IndexedShards } from "./read-picked.ts";
import type { ShardSource } from "./shards.ts";

/** Some of the samples of shards, read by their offset indexes. */
export class PickedShards implements Source {
  readonly name: string;
  readonly type: AnySampleType | undefined;
  readonly decoder: Decoder | undefined;
  readonly permutes = true;
  readonly #of: ShardSource;
  readonly #picks: readonly Choice[];

  constructor(of: ShardSource, picks: readonly Choice[]) {
    this.name = of.name;
    this.type = of.type;
    this.decoder = of.decoder;
    this.#of = of;
    this.#picks = picks;
  }

  async describe(): Promise<Json> {
    return { of: await this.#of.describe(), picks: this.#picks.map((pick) => ({ ...pick })) };
  }

  get mayFail(): boolean {
    return this.#of.mayFail === true;
  }

  read(request: SourceRequest): AsyncIterable<Chunk> {
    return readPicked(this.#of, this.#picks, request);
  }

  pick(pick: Choice): PickedShards {
    return new PickedShards(this.#of, [...this.#picks, pick]);
  }

  async find(key: string, signal?: AbortSignal): Promise<number | undefined> {
    return (await import("./loaded-later.ts")).findKey(this.#of, this.#picks, key, signal);
  }

  listShards(): Promise<readonly string[]> {
    return this.#of.listShards();
  }

  restore(files: StoredFiles, trace: Trace): Chunk {
    return this.#of.restore(files, trace);
  }
}

/** Reads some of the samples of shards; see {@link IndexedShards}. */
export function readPicked(
  shards: IndexedShards,
  picks: readonly Choice[],
  request: SourceRequest,
): AsyncIterable<Chunk> {
  return later(async () => (await import("./loaded-later.ts")).readPicked(shards, picks, request));
}
