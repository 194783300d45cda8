import { PipelineError } from "../errors.ts";
import type { Lane } from "../streams/executor.ts";
import { Faults, isNoFaultOfSample } from "../streams/faults.ts";
import type { Share } from "../streams/share.ts";
import type { Source } from "../streams/source.ts";
import type { Trace } from "../streams/trace.ts";
import { toCrossing } from "./crossing-error.ts";
import { toCrossingInputs } from "./crossing-value.ts";
import type { LaneFault } from "./messages.ts";

/** How far a lane has read its source. */
export class ReadPlace {
  #end: number;
  #next: number;
  readonly #looksAhead: boolean;

  /** `looksAhead`: the source asks for positions long before it gives them, as one that reads in any order. */
  constructor(from: number, looksAhead: boolean) {
    [this.#end, this.#next, this.#looksAhead] = [from, from, looksAhead];
  }

  /** The next position that the lane would read: what fails while it passes over those of others, fails there. */
  get position(): number {
    return this.#looksAhead ? this.#end : Math.max(this.#end, this.#next);
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
      permutes: source.permutes ?? false,
      countByShard: source.countByShard && (() => source.countByShard!()),
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

/** What the stages of one lane have in common. */
interface LaneAccount {
  readonly lane: Pick<Lane, "raises" | "keeps">;
  readonly signal: AbortSignal;
  readonly place: ReadPlace;
  readonly send: (fault: LaneFault) => void;
  readonly times: Map<string, number>;
  endedAt: number | undefined;
}

/** The faults of a lane: those that end it are thrown, the others are sent to the run, which decides. */
export class LaneFaults extends Faults {
  readonly #account: LaneAccount;
  readonly #at: number;

  private constructor(account: LaneAccount, at: number) {
    super("raise", account.signal);
    [this.#account, this.#at] = [account, at];
  }

  static open(account: Omit<LaneAccount, "times" | "endedAt">): LaneFaults {
    return new LaneFaults({ ...account, times: new Map(), endedAt: undefined }, 0);
  }

  /** Where the error was met that ended the lane. */
  get endedAt(): number | undefined {
    return this.#account.endedAt;
  }

  override of(at: number): LaneFaults {
    return new LaneFaults(this.#account, at);
  }

  override get keepsInputs(): boolean {
    return this.#account.lane.keeps !== "none";
  }

  override sample(cause: unknown, stage: string, trace: Trace, row: number, given = 0): void {
    const { lane, send } = this.#account;
    try {
      super.sample(cause, stage, trace, row, given);
    } catch (error) {
      const position = trace.position(row);
      this.#account.endedAt = position;
      if (lane.raises.sample || !(error instanceof PipelineError) || isNoFaultOfSample(cause)) throw error;
      send({
        scope: "sample",
        position,
        once: "",
        error: toCrossing(error),
        stage,
        origin: trace.origin(row),
        at: this.#at,
        given,
        inputs: this.keepsInputs ? toCrossingInputs(trace.inputs(row)) : [],
      });
    }
  }

  override shard(cause: unknown, url: string, index = 0): void {
    try {
      super.shard(cause, url, index);
    } catch (error) {
      this.#account.endedAt = this.#account.place.position;
      if (this.#account.lane.raises.shard || !(error instanceof PipelineError) || isNoFaultOfSample(cause)) throw error;
      this.#once("shard", url, error, index);
    }
  }

  override warn(warning: string): void {
    this.#once("warning", warning, warning, 0);
  }

  /** Every lane walks over every shard. */
  #once(scope: "shard" | "warning", what: string, error: unknown, index: number): void {
    const { times, place, send } = this.#account;
    const nth = (times.get(what) ?? 0) + 1;
    times.set(what, nth);
    const once = `${scope} ${nth} ${what}`;
    const { position } = place;
    send({ scope, position, once, error: toCrossing(error), stage: what, origin: undefined, index });
  }
}
