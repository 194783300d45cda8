import type { AnySampleType } from "../schema/sample.ts";
import type { Chunk } from "../streams/chunk.ts";
import { later } from "../streams/later.ts";
import type { Json } from "../streams/operator.ts";
import type { FailedPart } from "../streams/replay.ts";
import type { Decoder, Source, SourceRequest } from "../streams/source.ts";
import { ownPositions } from "./own-positions.ts";

/**
 * The samples of a quarantine, in the order they were put there, each once, as the source they came from would give them; and
 * what could not be read of its shards.
 */
export class QuarantinedSource implements Source {
  readonly name = "quarantine";
  readonly type: AnySampleType | undefined;
  readonly decoder: Decoder | undefined;
  readonly #path: string;
  readonly #of: Source;
  readonly #failed = new Map<number, FailedPart>();

  constructor(path: string, of: Source) {
    this.#path = path;
    this.#of = of;
    this.type = of.type;
    this.decoder = of.decoder;
  }

  async describe(): Promise<Json> {
    // Not of what the shards are: they may be gone.
    return [this.#path.replace(/^.*[\\/]/, ""), this.#of.name, (await this.type?.cid()) ?? null];
  }

  /** What had failed of the sample at a position. */
  failedAt(position: number): FailedPart | undefined {
    return this.#failed.get(position);
  }

  read(request: SourceRequest): AsyncIterable<Chunk> {
    return later(async () => {
      const { ReadQuarantine } = await import("./loaded-later.ts");
      const read = new ReadQuarantine(this.#path, this.#of, (position, part) => this.#failed.set(position, part));
      return ownPositions(read.chunks(request), request.share);
    });
  }
}
