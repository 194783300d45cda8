import type { Lane } from "../streams/executor.ts";
import type { Json } from "../streams/operator.ts";
import type { Part } from "../streams/ranks.ts";
import type { Origin } from "../streams/trace.ts";
import type { CrossingError } from "./crossing-error.ts";

/** What a thread is given to run a lane. Plain data, and nothing that cannot be sent. */
export interface LaneOrder {
  readonly lane: Lane;
  readonly part: Part;
  readonly port: LanePort;
  /** Two whole numbers: see {@link Flag}. */
  readonly flags: SharedArrayBuffer;
}

/** An end of a channel, as `node:worker_threads` makes it. */
export interface LanePort {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: "message", listener: (message: never) => void): unknown;
  close(): void;
}

/** What a thread is given to do a whole piece of work. */
export interface WorkOrder {
  readonly name: string;
  readonly order: Json;
  /** Tells progress, and is told `"stop"`. */
  readonly port: LanePort;
}

/** How far a piece of work has come, or how it ended. */
export type FromWork = { readonly told: Json } | { readonly value: Json } | { readonly error: CrossingError };

/** Places in the memory that both sides see. */
export const Flag = {
  /** 1: the lane is to end. Seen also while a function of the user keeps the thread busy. */
  STOP: 0,
  /** 1: the calling thread waits for this lane; it sends what it has. */
  HUNGRY: 1,
} as const;

/** A fault that does not end the lane, and where it was met. */
export interface LaneFault {
  readonly scope: "sample" | "shard" | "warning" | "end";
  readonly position: number;
  /** Every lane meets the faults of shards: those with the same text here are one. */
  readonly once: string;
  readonly error: CrossingError;
  readonly stage: string;
  readonly origin: Origin | undefined;
  /** Of a sample: the place of its stage in the plan, outputs that were handed on before, and what it was made of. */
  readonly at?: number;
  readonly given?: number;
  readonly inputs?: readonly CrossingInput[];
  /** Of a shard: the first sample that was not read. */
  readonly index?: number;
}

/** A sample that a row was made of, as plain data. */
export interface CrossingInput {
  readonly origin: Origin;
  readonly stored?: { readonly bytes: Uint8Array; readonly extension?: string } | { readonly value: unknown };
}

/** From a lane to the calling thread. */
export interface FromLane {
  /** A frame, with so many rows. */
  readonly buffer: ArrayBuffer | undefined;
  readonly rows: number;
  /** Addresses of shards that no frame had before. */
  readonly shards: readonly string[];
  /** The samples of the frame, where they are not in it. */
  readonly values: readonly unknown[] | undefined;
  /** What each of them was made of, where it is kept. */
  readonly inputs: readonly (readonly CrossingInput[])[] | undefined;
  /** What was read since the message before. */
  readonly read: { readonly samples: number; readonly bytes: number };
  /** What went wrong behind those rows. */
  readonly faults: readonly LaneFault[];
  /** All before this position is done; 0 where that is not known. */
  readonly mark: number;
  readonly ended: boolean;
}

/** From the calling thread to a lane: a buffer to be filled again, or what to do. */
export type ToLane = ArrayBuffer | "stop" | "close";
