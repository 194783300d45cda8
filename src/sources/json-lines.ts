import type { AnySampleType } from "../schema/sample.ts";
import { typeToJson } from "../schema/type-json.ts";
import { shownAddress } from "../storage/address.ts";
import { type Chunk, rowChunk } from "../streams/chunk.ts";
import { later } from "../streams/later.ts";
import type { Json } from "../streams/operator.ts";
import type { Source, SourceRequest, StoredFiles } from "../streams/source.ts";
import type { Trace } from "../streams/trace.ts";

/** The extension of a line that is kept as it is. */
export const LINE = "json";

/** One JSON value a line, from files or http(s), compressed or not; checked against a type where there is one. */
export class JsonLinesSource implements Source {
  readonly name = "jsonLines";
  readonly mayFail = true;
  readonly type: AnySampleType | undefined;
  readonly #pattern: string | readonly string[];

  constructor(pattern: string | readonly string[], type: AnySampleType | undefined) {
    this.#pattern = pattern;
    this.type = type;
  }

  only(shards: readonly string[]): JsonLinesSource {
    return new JsonLinesSource(shards, this.type);
  }

  async listShards(): Promise<readonly string[]> {
    return (await import("./loaded-later.ts")).expandPattern(this.#pattern);
  }

  async restore({ parts, origin }: StoredFiles, trace: Trace): Promise<Chunk> {
    const { parseLine } = await import("./loaded-later.ts");
    const text = new TextDecoder().decode(parts.get(LINE) ?? new Uint8Array(0));
    return rowChunk([parseLine(this.type, text, origin.shard, origin.index)], trace);
  }

  async size(): Promise<number | undefined> {
    return (await import("./loaded-later.ts")).sizeOfAll(await this.listShards());
  }

  async address(): Promise<Json> {
    const { type } = this;
    return {
      source: "jsonLines",
      shards: await this.listShards(),
      type: type === undefined ? null : typeToJson(type),
    };
  }

  async describe(): Promise<Json> {
    return (await this.listShards()).map((url) => shownAddress(url).replace(/^.*[\\/]/, ""));
  }

  read(request: SourceRequest): AsyncIterable<Chunk> {
    return later(async () => {
      const { readJsonLines } = await import("./loaded-later.ts");
      return readJsonLines(this, await this.listShards(), this.type, request);
    });
  }
}
