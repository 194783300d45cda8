import { type Chunk, slice } from "./chunk.ts";
import type { Executor, Lane, LaneEvent } from "./executor.ts";
import type { Faults } from "./faults.ts";
import type { Meter } from "./progress.ts";
import { ownerOf, type Ranks, RUN } from "./ranks.ts";
import type { SourceRequest } from "./source.ts";

/** Runs the lanes of an executor, and gives what comes from them in the order that one lane alone would have. */
export async function* runLanes(
  executor: Executor,
  lane: Lane,
  { faults, signal, meter }: Pick<SourceRequest, "faults" | "signal" | "meter">,
): AsyncGenerator<Chunk> {
  const of = executor.lanes;
  const heads = Array.from({ length: of }, (_, index) => new Head(executor.open(lane, { index, of }, signal)));
  try {
    yield* merged(heads, lane, faults, meter);
  } finally {
    await Promise.all(heads.map((head) => head.close()));
  }
}

/** The next event of a lane, looked at before it is taken. */
class Head {
  readonly #events: AsyncIterator<LaneEvent, undefined>;
  event: LaneEvent | undefined;
  /** Rows of a chunk that were handed out. */
  taken = 0;
  ended = false;

  constructor(events: AsyncIterator<LaneEvent, undefined>) {
    this.#events = events;
  }

  async advance(): Promise<void> {
    const { done, value } = await this.#events.next();
    [this.event, this.taken, this.ended] = [value, 0, done === true];
  }

  async close(): Promise<void> {
    await this.#events.return?.();
  }
}

async function* merged(
  heads: readonly Head[],
  { from, ranks }: Lane,
  faults: Faults,
  meter: Meter | undefined,
): AsyncGenerator<Chunk> {
  for (let run = Math.floor(from / RUN); heads.some(({ ended }) => !ended); run++) {
    const head = headOf(heads, run, ranks);
    if (head === undefined) continue;
    const end = heads.length === 1 ? Number.POSITIVE_INFINITY : (run + 1) * RUN;
    while (!head.ended) {
      if (head.event === undefined) await head.advance();
      const { event } = head;
      if (event === undefined || event.position >= end) break;
      if (event.kind === "chunk") {
        const { chunk } = event;
        let to = head.taken;
        while (to < chunk.length && chunk.trace.position(to) < end) to++;
        if (to > head.taken) {
          faults.succeeded();
          yield slice(chunk, head.taken, to);
        }
        head.taken = to;
        if (to < chunk.length) break;
      } else if (event.kind === "fault") {
        event.tell(faults);
      } else if (event.kind === "read" && meter !== undefined) {
        meter.samples += event.read.samples;
        meter.bytes += event.read.bytes;
      }
      head.event = undefined;
    }
  }
}

/** The lane that owns a run of positions; undefined where it is another rank's. */
function headOf(heads: readonly Head[], run: number, { rank, worldSize }: Ranks): Head | undefined {
  if (heads.length === 1) return heads[0];
  const owner = ownerOf(run * RUN, worldSize * heads.length);
  return owner % worldSize === rank ? heads[Math.floor(owner / worldSize)] : undefined;
}
