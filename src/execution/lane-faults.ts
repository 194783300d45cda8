import { PipelineError } from "../errors.ts";
import { Faults, isNoFaultOfSample } from "../streams/faults.ts";
import type { Share } from "../streams/share.ts";
import type { Source } from "../streams/source.ts";
import type { Trace } from "../streams/trace.ts";
import { toCrossing } from "./crossing-error.ts";
import type { LaneFault } from "./messages.ts";

/** How far a lane has read its source. */
export class ReadPlace {
  #end: number;
  #next: number;

  constructor(from: number) {
    [this.#end, this.#next] = [from, from];
  }

  /** The next position that the lane would read: what fails while it passes over those of others, fails there. */
  get position(): number {
    return Math.max(this.#end, this.#next);
  }

  /** The same source, watched. `asked` is told when all that was read is worked through. */
  watch(source: Source, asked: () => void): Source {
    const share = (of: Share): Share => ({
      next: (position) => {
        const range = of.next(position);
        this.#next = range?.from ?? this.#next;
        return range;
      },
    });
    const place = this;
    return {
      name: source.name,
      type: source.type,
      decoder: source.decoder,
      describe: () => source.describe(),
      counts: source.counts && (() => source.counts!()),
      async *read(request) {
        for await (const chunk of source.read({ ...request, share: share(request.share) })) {
          place.#end = Math.max(place.#end, chunk.trace.position(chunk.length - 1) + 1);
          yield chunk;
          asked();
        }
      },
    };
  }
}

/** The faults of a lane: those that end it are thrown, the others are sent to the run, which decides. */
export class LaneFaults extends Faults {
  readonly #raises: { readonly sample: boolean; readonly shard: boolean };
  readonly #place: ReadPlace;
  readonly #send: (fault: LaneFault) => void;
  readonly #times = new Map<string, number>();
  /** Where the error was met that ended the lane. */
  endedAt: number | undefined;

  constructor(
    raises: { readonly sample: boolean; readonly shard: boolean },
    signal: AbortSignal,
    place: ReadPlace,
    send: (fault: LaneFault) => void,
  ) {
    super("raise", signal);
    [this.#raises, this.#place, this.#send] = [raises, place, send];
  }

  override sample(cause: unknown, stage: string, trace: Trace, row: number): void {
    try {
      super.sample(cause, stage, trace, row);
    } catch (error) {
      const position = trace.position(row);
      this.endedAt = position;
      if (this.#raises.sample || !(error instanceof PipelineError) || isNoFaultOfSample(cause)) throw error;
      this.#send({ scope: "sample", position, once: "", error: toCrossing(error), stage, origin: trace.origin(row) });
    }
  }

  override shard(cause: unknown, url: string): void {
    try {
      super.shard(cause, url);
    } catch (error) {
      this.endedAt = this.#place.position;
      if (this.#raises.shard || !(error instanceof PipelineError)) throw error;
      this.#once("shard", url, error);
    }
  }

  override warn(warning: string): void {
    this.#once("warning", warning, warning);
  }

  /** Every lane walks over every shard. */
  #once(scope: "shard" | "warning", what: string, error: unknown): void {
    const times = (this.#times.get(what) ?? 0) + 1;
    this.#times.set(what, times);
    const once = `${scope} ${times} ${what}`;
    const { position } = this.#place;
    this.#send({ scope, position, once, error: toCrossing(error), stage: what, origin: undefined });
  }
}
