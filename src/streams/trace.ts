/** Where a sample comes from. */
export interface Origin {
  /** Address of its shard, "" for what comes from no shard. */
  readonly shard: string;
  /** Its place in that shard, from 0. */
  readonly index: number;
  /** Its key in that shard; the index as text for what comes from no shard. */
  readonly key: string;
  /** Which output of `flatMap` it is, from 0. */
  readonly part: number;
  /** It is there once more, so that all ranks have as many: `{ even: "pad" }`. */
  readonly padded?: true;
}

/** The place of an item in its segment: the number of its input, and which output of that input it is. */
export interface Place {
  readonly position: number;
  readonly part: number;
}

/** Where a segment takes up its input again. */
export interface Restart {
  /** The number that the segment's first input gets. */
  readonly start: number;
  /** How far the segment before has come by then; absent in the first segment. */
  readonly before?: Progress | undefined;
  /** How far the inputs of a combined source have come by then; in the first segment only. */
  readonly combined?: CombinedProgress | undefined;
}

/** How far a segment has come: what is behind `start` is read again, and dropped up to `place`. */
export interface Progress extends Restart {
  /** Absent: nothing of the segment was passed on. */
  readonly place?: Place | undefined;
}

/** How far a source made of other plans has come. */
export interface CombinedProgress {
  readonly inputs: readonly InputProgress[];
  /**
   * What decides whose turn it is, and behind it what takes its place later, each from where it is `measured`. Absent where
   * nothing has to be decided.
   */
  readonly turns?: readonly TurnsProgress[] | undefined;
  /** The inputs and weights are those above until this position, and may differ only from there on. @default the start */
  readonly fixedTo?: number | undefined;
}

/** How far one input of a combined source has come. */
export interface InputProgress {
  /** Fingerprint of its plan. */
  readonly plan: string;
  /** The epoch that it is in. */
  readonly epoch: number;
  /** How often it started over. @default 0 */
  readonly passes?: number | undefined;
  /** Items it gave since the weights were last measured. @default 0 */
  readonly taken?: number | undefined;
  /** Absent: it gave nothing in this pass. */
  readonly progress?: Progress | undefined;
  /** It gives no more. @default false */
  readonly ended?: boolean | undefined;
}

/** By what it is decided whose turn it is. */
export interface TurnsProgress {
  /** The first so many inputs take part. */
  readonly inputs: number;
  /** The position that weights are measured from. */
  readonly measured: number;
  /** Absent: one input after another. */
  readonly weights?: readonly WeightStep[] | undefined;
}

/** Weights of inputs that hold from a position on. */
export interface WeightStep {
  /** A position of the mix, counted from 0. */
  readonly from: number;
  /** A number >= 0 for each input; what counts is their proportion. */
  readonly weights: readonly number[];
}

/** A sample as its source gave it: its bytes, where it was encoded, valid until the next chunk is asked for; else its value. */
export type Stored = { readonly bytes: Uint8Array; readonly extension?: string } | { readonly value: unknown };

/** A sample that a row was made of. */
export interface Input {
  readonly origin: Origin;
  /** Only there when the run keeps it, for a quarantine. */
  readonly stored?: Stored | undefined;
}

/**
 * What is known of the rows of a chunk besides their values: place in the order, and origin. Stages that move rows wrap the
 * trace of their input; nothing is computed until somebody asks, so it costs a few objects a chunk.
 */
export interface Trace {
  /** The number of the row's input in this segment. */
  position(row: number): number;
  /** Which output of that input the row is; 0 where no `flatMap` stands before. */
  part(row: number): number;
  origin(row: number): Origin;
  /** Where to restart to get what comes behind the row; with `again`, to get the row's own input once more. */
  restart(row: number, again: boolean): Restart;
  /** What lies at the positions of the source before this one has to stay as it is for a restart behind the row. */
  reach(row: number): number;
  /** The samples that the row was made of: one, or all of a batch. */
  inputs(row: number): readonly Input[];
  /** Whoever holds rows beyond their chunk says so before the next one is asked for: what they were made of is kept too. */
  keep(): void;
}

/** How far a segment has come when a row of it is handed out. */
export function progressAt(trace: Trace, row: number): Progress {
  return { ...trace.restart(row, false), place: { position: trace.position(row), part: trace.part(row) } };
}

/** The same progress, but for that of its combined source, where there is one. */
export function withCombined(
  progress: Progress,
  change: (combined: CombinedProgress, start: number) => CombinedProgress,
): Progress {
  const { before, combined, start } = progress;
  if (before) return { ...progress, before: withCombined(before, change) };
  return combined ? { ...progress, combined: change(combined, start) } : progress;
}
