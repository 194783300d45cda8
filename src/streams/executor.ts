import type { AnySampleType } from "../schema/sample.ts";
import type { SampleTypeJson } from "../schema/type-json.ts";
import type { Chunk } from "./chunk.ts";
import type { Faults } from "./faults.ts";
import type { Json, OperatorAddress } from "./operator.ts";
import type { Meter } from "./progress.ts";
import type { Part, Ranks } from "./ranks.ts";
import type { Decoder, Interleave, SourceRequest } from "./source.ts";

/** The source of a plan and its leading operators, as plain data: what can be done elsewhere. */
export interface Lane {
  /** Of {@link Source.address}. */
  readonly source: Json;
  readonly operators: readonly (OperatorAddress & { readonly name: string })[];
  /** The type of what comes out; null where it is not known. */
  readonly output: SampleTypeJson | null;
  readonly epoch: number;
  readonly interleave: Interleave | null;
  readonly permute: NonNullable<SourceRequest["permute"]> | null;
  /** Samples before this position are passed over. */
  readonly from: number;
  readonly ranks: Ranks;
  /** Which faults end the run; the others are told, and left to the run. */
  readonly raises: { readonly sample: boolean; readonly shard: boolean };
  /**
   * Which samples come beside the rows that were made of them, for a quarantine: none; those of faults; all, as stages that
   * stand behind the lanes may fail too.
   */
  readonly keeps: "none" | "faults" | "all";
}

/** What comes from a lane, in the order of the positions that it owns. */
export type LaneEvent =
  /** Valid until the next event is asked for, as chunks are. */
  | { readonly kind: "chunk"; readonly position: number; readonly chunk: Chunk }
  /** Something went wrong at a position; `tell` tells the run, and throws where that ends it. */
  | { readonly kind: "fault"; readonly position: number; tell(faults: Faults): void }
  /** All before the position is done. */
  | { readonly kind: "mark"; readonly position: number }
  /** So much more was read. */
  | { readonly kind: "read"; readonly position: number; readonly read: Pick<Meter, "samples" | "bytes"> };

/** What a piece of work is given besides its order. */
export interface WorkContext {
  readonly signal: AbortSignal;
  /** How far it has come, as plain data. */
  tell(progress: Json): void;
}

/**
 * Where the first part of a plan is run: `run({ executor })`. It runs as many lanes beside one another as it has; each reads
 * its part of the positions, and the run puts what comes from them into the order of one. So no executor changes a result.
 */
export interface Executor {
  /** As in `explain()`: `4 threads`. */
  readonly name: string;
  readonly lanes: number;
  /** Starts one of the lanes. It ends early by `return()`, or when the signal is aborted. */
  open(lane: Lane, part: Part, signal: AbortSignal): AsyncIterator<LaneEvent, undefined>;
  /**
   * Does a whole piece of work, such as one shard of a job: `name` says which kind, and `order` and what comes out are plain
   * data. It is asked for as many at a time as it has lanes. Absent: it runs lanes only.
   */
  work?(name: string, order: Json, context: WorkContext): Promise<Json>;
  /** Makes samples of chunks that come still encoded, as they do where their type is known. */
  decoder?(type: AnySampleType): Decoder;
}
