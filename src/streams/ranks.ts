import { PipelineError } from "../errors.ts";
import { environment } from "../runtime/runtime.ts";
import type { Segment } from "./chain.ts";
import type { Chunk } from "./chunk.ts";
import type { Faults } from "./faults.ts";
import { mayFail } from "./inputs.ts";
import type { PositionRange, Share } from "./share.ts";
import type { Source, SourceRequest } from "./source.ts";
import { PaddingTrace } from "./trace-of.ts";

/** Which part of a dataset a run reads, where several processes share it. */
export interface RankOptions {
  /** Which of the ranks this is, from 0. @default 0 */
  readonly rank?: number | undefined;
  /** How many ranks there are. @default 1 */
  readonly worldSize?: number | undefined;
  /**
   * Each sample belongs to one rank, so that the ranks' numbers of samples differ by up to 64. `"exact"` leaves it at that;
   * `"pad"` lets the others repeat their first samples until all have as many as the largest share; `"drop"` stops all at the
   * smallest. The last two need a source that knows its number of samples, and a plan that neither drops nor adds any.
   * @default "exact"
   */
  readonly even?: "exact" | "pad" | "drop" | undefined;
}

export type Ranks = Required<{ readonly [K in keyof RankOptions]: NonNullable<RankOptions[K]> }>;

/** Positions that one rank owns before it is the next one's turn: part of what a checkpoint means. */
export const RUN = 64;

/** One of several lanes that share what a rank owns. */
export interface Part {
  readonly index: number;
  readonly of: number;
}
const WHOLE: Part = { index: 0, of: 1 };

/** Checks what a run was told about ranks. */
export function ranksOf(options: RankOptions): Ranks {
  const { worldSize = 1, rank = 0, even = "exact" } = options;
  if (!Number.isSafeInteger(worldSize) || worldSize < 1 || worldSize > 65_536) {
    throw new RangeError(`Cannot run: worldSize must be a whole number from 1 to 65,536, not ${worldSize}`);
  }
  if (options.rank !== undefined && options.worldSize === undefined) {
    throw new TypeError(`Cannot run as rank ${rank}: worldSize, the number of ranks, must be given too`);
  }
  if (!Number.isSafeInteger(rank) || rank < 0 || rank >= worldSize) {
    throw new RangeError(
      `Cannot run: rank must be a whole number from 0 to worldSize - 1 = ${worldSize - 1}, not ${rank}`,
    );
  }
  if (even !== "exact" && even !== "pad" && even !== "drop") {
    throw new TypeError(`Cannot run: even must be "exact", "pad" or "drop", not ${JSON.stringify(even)}`);
  }
  return { rank, worldSize, even };
}

/**
 * A launcher of several processes sets RANK and WORLD_SIZE. To read everything in each of them must be asked for.
 *
 * @throws {PipelineError} `RANK_REQUIRED`
 */
export function checkEnvironment({ rank, worldSize }: RankOptions): void {
  if (rank !== undefined || worldSize !== undefined) return;
  const [ours, all] = [environment("RANK"), environment("WORLD_SIZE")];
  if (ours === undefined || all === undefined || !(Number(all) > 1)) return;
  throw new PipelineError(
    "RANK_REQUIRED",
    `Cannot run: this is process ${ours} of ${all} (RANK and WORLD_SIZE), and each of them would read every sample`,
    {
      hint: "pass { rank, worldSize } to share the samples out, or { rank: 0, worldSize: 1 } to read all in each process",
    },
  );
}

/** The rank that owns a position of the source. */
export function ownerOf(position: number, worldSize: number): number {
  return Math.floor(position / RUN) % worldSize;
}

/** What a rank owns: every `worldSize`-th run of positions. Lanes are ranks inside of it. */
function runsOf({ rank, worldSize }: Ranks, { index, of }: Part): Share {
  const cycle = RUN * worldSize * of;
  return {
    next(position) {
      let from = Math.floor(position / cycle) * cycle + RUN * (rank + worldSize * index);
      if (from + RUN <= position) from += cycle;
      return { from: Math.max(from, position), to: from + RUN };
    },
  };
}

function upTo(end: number, share: Share): Share {
  return {
    next(position) {
      const range = share.next(position);
      return range === undefined || range.from >= end ? undefined : { from: range.from, to: Math.min(range.to, end) };
    },
  };
}

/** The positions of a rank in the last, unfinished round of runs: how many there are of each rank. */
class LastRound {
  readonly start: number;
  readonly #rest: number;
  readonly #worldSize: number;

  constructor(count: number, worldSize: number) {
    this.#rest = count % (RUN * worldSize);
    this.start = count - this.#rest;
    this.#worldSize = worldSize;
  }

  share(rank: number): number {
    return Math.min(RUN, Math.max(0, this.#rest - RUN * rank));
  }

  get least(): number {
    return this.share(this.#worldSize - 1);
  }

  get most(): number {
    return this.share(0);
  }
}

/** Reads the samples of one rank, or of one lane of it. */
export function readShare(
  source: Source,
  request: SourceRequest,
  ranks: Ranks,
  part: Part = WHOLE,
): AsyncIterable<Chunk> {
  return ranks.even === "exact"
    ? source.read({ ...request, share: runsOf(ranks, part) })
    : readEven(source, request, ranks, part);
}

async function* readEven(source: Source, request: SourceRequest, ranks: Ranks, part: Part): AsyncGenerator<Chunk> {
  const { rank, worldSize, even } = ranks;
  const own = runsOf(ranks, part);
  const counts = await source.countByShard?.();
  if (counts === undefined) {
    throw new PipelineError(
      "RANK_UNSUPPORTED",
      `Cannot make the ranks even by { even: "${even}" }: ${source.name} does not know its number of samples`,
      { hint: "leave even out, or read from shards or from an array" },
    );
  }
  const count = counts.reduce((sum, { samples }) => sum + samples, 0);
  const last = new LastRound(count, worldSize);
  const lastRun = last.start + RUN * rank;
  if (even === "drop") {
    yield* source.read({ ...request, share: upTo(lastRun + last.least, own) });
    return;
  }
  yield* source.read({ ...request, share: upTo(count, own) });
  // The rank's first samples once more, under the positions that it lacks.
  const padding = { from: lastRun + last.share(rank), to: lastRun + last.most };
  if (ownerOf(lastRun, worldSize * part.of) !== rank + worldSize * part.index) return;
  const first = count > RUN * rank ? RUN * rank : 0;
  const there = Math.min(RUN, count - first);
  for (let at = Math.max(padding.from, request.from); at < padding.to; ) {
    const skipped = (at - padding.from) % there;
    const range = { from: first + skipped, to: first + Math.min(there, skipped + padding.to - at) };
    for await (const chunk of source.read({ ...request, from: range.from, share: shareOf(range) })) {
      yield { ...chunk, trace: new PaddingTrace(chunk.trace, at - range.from) };
    }
    at += range.to - range.from;
  }
}

function shareOf(range: PositionRange): Share {
  return {
    next: (position) => (position >= range.to ? undefined : { from: Math.max(position, range.from), to: range.to }),
  };
}

/**
 * Refuses what no rank can do alone.
 *
 * @throws {PipelineError} `RANK_UNSUPPORTED`
 */
export function checkRanks(segments: readonly Segment[], source: Source, { even }: Ranks, faults: Faults): void {
  const refuse = (what: string, hint: string): never => {
    throw new PipelineError("RANK_UNSUPPORTED", what, { hint });
  };
  // What changes how many items there are, or which of them comes when: a rank does not see those of the others.
  let before = faults.leavesOutSamples && source.mayFail === true ? source.name : undefined;
  if (even !== "exact" && (faults.leavesOutSamples || faults.leavesOutShards)) {
    refuse(
      `Cannot make the ranks even by { even: "${even}" }: nobody knows how many samples onError will leave out`,
      'leave even out, or let errors end the run: onError: "raise"',
    );
  }
  for (const [i, { steps }] of segments.entries()) {
    for (const [k, { spec }] of steps.entries()) {
      const { name, role = "each", drops = false } = spec;
      if (before !== undefined && (role === "count" || (i > 0 && k === 0))) {
        refuse(
          `Cannot ${name} on several ranks: it numbers what comes out of ${before}`,
          `move ${name} before ${before}${faults.leavesOutSamples ? ', or let errors end the run: onError: "raise"' : ""}`,
        );
      }
      if (even !== "exact" && (drops || role === "flat" || role === "count")) {
        refuse(
          `Cannot make the ranks even by { even: "${even}" }: ${name} changes how many samples there are`,
          "leave even out, and end an epoch with the first rank that ends",
        );
      }
      const leavesOut = drops || (faults.leavesOutSamples && mayFail(spec));
      if (leavesOut || role === "flat" || role === "shuffle" || role === "batch") before ??= name;
    }
  }
}
