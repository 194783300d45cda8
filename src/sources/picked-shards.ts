import type { AnySampleType } from "../schema/sample.ts";
import type { Chunk } from "../streams/chunk.ts";
import type { Json } from "../streams/operator.ts";
import type { Choice } from "../streams/pick.ts";
import type { Decoder, Source, SourceRequest } from "../streams/source.ts";
import { findKey } from "./find-key.ts";
import { type IndexedShards, readPicked } from "./read-picked.ts";

/** Some of the samples of shards, read by their offset indexes. */
export class PickedShards implements Source {
  readonly name: string;
  readonly type: AnySampleType | undefined;
  readonly decoder: Decoder | undefined;
  readonly permutes = true;
  readonly #of: Source & IndexedShards;
  readonly #picks: readonly Choice[];

  constructor(of: Source & IndexedShards, picks: readonly Choice[]) {
    this.name = of.name;
    this.type = of.type;
    this.decoder = of.decoder;
    this.#of = of;
    this.#picks = picks;
  }

  async describe(): Promise<Json> {
    return { of: await this.#of.describe(), picks: this.#picks.map((pick) => ({ ...pick })) };
  }

  read(request: SourceRequest): AsyncIterable<Chunk> {
    return readPicked(this.#of, this.#picks, request);
  }

  pick(pick: Choice): PickedShards {
    return new PickedShards(this.#of, [...this.#picks, pick]);
  }

  find(key: string, signal?: AbortSignal): Promise<number | undefined> {
    return findKey(this.#of, this.#picks, key, signal);
  }

  listShards(): Promise<readonly string[]> {
    return this.#of.listShards();
  }
}
