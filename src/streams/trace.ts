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

/** Rows read one after another from a source. */
export class SourceTrace implements Trace {
  readonly #first: number;
  readonly #origin: (row: number) => Origin;
  readonly #stored: ((row: number) => Stored) | undefined;

  /** `stored` is for rows that are not what was read: a line that does not parse. */
  constructor(first: number, origin: (row: number) => Origin, stored?: (row: number) => Stored) {
    this.#first = first;
    this.#origin = origin;
    this.#stored = stored;
  }

  position(row: number): number {
    return this.#first + row;
  }
  part(): number {
    return 0;
  }
  origin(row: number): Origin {
    return this.#origin(row);
  }
  restart(row: number, again: boolean): Restart {
    return { start: this.#first + row + (again ? 0 : 1) };
  }
  reach(row: number): number {
    return this.#first + row + 1;
  }
  inputs(row: number): readonly Input[] {
    return [{ origin: this.#origin(row), stored: this.#stored?.(row) }];
  }
  keep(): void {}
}

/** Some rows of another trace, in any order. */
export class PickedTrace implements Trace {
  readonly of: Trace;
  readonly rows: Int32Array;

  constructor(of: Trace, rows: Int32Array) {
    this.of = of;
    this.rows = rows;
  }

  position(row: number): number {
    return this.of.position(this.rows[row]!);
  }
  part(row: number): number {
    return this.of.part(this.rows[row]!);
  }
  origin(row: number): Origin {
    return this.of.origin(this.rows[row]!);
  }
  restart(row: number, again: boolean): Restart {
    return this.of.restart(this.rows[row]!, again);
  }
  reach(row: number): number {
    return this.of.reach(this.rows[row]!);
  }
  inputs(row: number): readonly Input[] {
    return this.of.inputs(this.rows[row]!);
  }
  keep(): void {
    this.of.keep();
  }
}

/** The rows of another trace from one on. */
export class RestTrace implements Trace {
  readonly #of: Trace;
  readonly #from: number;

  constructor(of: Trace, from: number) {
    this.#of = of;
    this.#from = from;
  }

  position(row: number): number {
    return this.#of.position(this.#from + row);
  }
  part(row: number): number {
    return this.#of.part(this.#from + row);
  }
  origin(row: number): Origin {
    return this.#of.origin(this.#from + row);
  }
  restart(row: number, again: boolean): Restart {
    return this.#of.restart(this.#from + row, again);
  }
  reach(row: number): number {
    return this.#of.reach(this.#from + row);
  }
  inputs(row: number): readonly Input[] {
    return this.#of.inputs(this.#from + row);
  }
  keep(): void {
    this.#of.keep();
  }
}

/** A trace from one of its rows on. */
export function traceFrom(trace: Trace, row: number): Trace {
  return row === 0 ? trace : new RestTrace(trace, row);
}

/** Outputs of `flatMap`: row `r` is output `parts[r]` of input row `rows[r]`, which a restart reads once more. */
export class FlatTrace extends PickedTrace {
  readonly #parts: Int32Array;

  constructor(of: Trace, rows: Int32Array, parts: Int32Array) {
    super(of, rows);
    this.#parts = parts;
  }

  override part(row: number): number {
    return this.#parts[row]!;
  }
  override origin(row: number): Origin {
    return { ...super.origin(row), part: this.#parts[row]! };
  }
  override restart(row: number): Restart {
    return super.restart(row, true);
  }
  override inputs(row: number): readonly Input[] {
    return super.inputs(row).map(({ origin, stored }) => ({ origin: { ...origin, part: this.#parts[row]! }, stored }));
  }
}

/** Rows of a shuffled block: whatever row is next, the whole block is read again. */
export class BlockTrace extends PickedTrace {
  readonly #reach: number;

  constructor(of: Trace, rows: Int32Array, reach: number) {
    super(of, rows);
    this.#reach = reach;
  }

  override restart(): Restart {
    return this.of.restart(0, true);
  }
  override reach(): number {
    return this.#reach;
  }
}

interface Piece {
  readonly trace: Trace;
  readonly from: number;
  readonly at: number;
  readonly length: number;
}

/** Rows of several traces, one trace after another. */
export class JoinedTrace implements Trace {
  readonly #pieces: Piece[] = [];
  #recent = 0;
  #length = 0;
  #kept = false;

  /** Appends `length` rows of `trace`, from `from` on. */
  add(trace: Trace, from: number, length: number): void {
    if (length > 0) this.#pieces.push({ trace, from, at: this.#length, length });
    this.#length += length;
    this.#kept = false;
  }

  #piece(row: number): Piece {
    // Rows are mostly asked for one after another.
    const last = this.#pieces[this.#recent]!;
    if (row >= last.at && row < last.at + last.length) return last;
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle]!.at <= row) low = middle;
      else high = middle - 1;
    }
    this.#recent = low;
    return this.#pieces[low]!;
  }

  position(row: number): number {
    const { trace, from, at } = this.#piece(row);
    return trace.position(from + row - at);
  }
  part(row: number): number {
    const { trace, from, at } = this.#piece(row);
    return trace.part(from + row - at);
  }
  origin(row: number): Origin {
    const { trace, from, at } = this.#piece(row);
    return trace.origin(from + row - at);
  }
  restart(row: number, again: boolean): Restart {
    const { trace, from, at } = this.#piece(row);
    return trace.restart(from + row - at, again);
  }
  reach(row: number): number {
    const { trace, from, at } = this.#piece(row);
    return trace.reach(from + row - at);
  }
  inputs(row: number): readonly Input[] {
    const { trace, from, at } = this.#piece(row);
    return trace.inputs(from + row - at);
  }
  keep(): void {
    if (this.#kept) return;
    for (const { trace } of this.#pieces) trace.keep();
    this.#kept = true;
  }
}

/** Rows numbered anew: the inputs of the next segment. */
export class CountedTrace implements Trace {
  readonly #of: Trace;
  readonly #first: number;
  readonly #earlier: () => Progress;

  /** `earlier` tells how far the segment before had come in front of row 0. */
  constructor(of: Trace, first: number, earlier: () => Progress) {
    this.#of = of;
    this.#first = first;
    this.#earlier = earlier;
  }

  position(row: number): number {
    return this.#first + row;
  }
  part(): number {
    return 0;
  }
  origin(row: number): Origin {
    return this.#of.origin(row);
  }
  restart(row: number, again: boolean): Restart {
    const last = again ? row - 1 : row;
    return { start: this.#first + last + 1, before: last < 0 ? this.#earlier() : progressAt(this.#of, last) };
  }
  reach(row: number): number {
    return this.#of.reach(row);
  }
  inputs(row: number): readonly Input[] {
    return this.#of.inputs(row);
  }
  keep(): void {
    this.#of.keep();
  }
}

/** Rows under other numbers. */
export class ShiftedTrace implements Trace {
  readonly #of: Trace;
  readonly #by: number;

  constructor(of: Trace, by: number) {
    this.#of = of;
    this.#by = by;
  }

  position(row: number): number {
    return this.#of.position(row) + this.#by;
  }
  part(row: number): number {
    return this.#of.part(row);
  }
  origin(row: number): Origin {
    return this.#of.origin(row);
  }
  restart(row: number, again: boolean): Restart {
    return { start: this.#of.restart(row, again).start + this.#by };
  }
  reach(row: number): number {
    return this.#of.reach(row);
  }
  inputs(row: number): readonly Input[] {
    return this.#of.inputs(row);
  }
  keep(): void {
    this.#of.keep();
  }
}

/** Samples that a rank hands out once more, under numbers that no sample has. */
export class PaddingTrace extends ShiftedTrace {
  override origin(row: number): Origin {
    return { ...super.origin(row), padded: true };
  }
}

/** One batch as a row: it ends where its last sample does. */
export class BatchTrace implements Trace {
  readonly #samples: Trace;
  readonly #last: number;

  constructor(samples: Trace, length: number) {
    this.#samples = samples;
    this.#last = length - 1;
  }

  position(): number {
    return this.#samples.position(this.#last);
  }
  part(): number {
    return this.#samples.part(this.#last);
  }
  origin(): Origin {
    return this.#samples.origin(0);
  }
  restart(_row: number, again: boolean): Restart {
    return again ? this.#samples.restart(0, true) : this.#samples.restart(this.#last, false);
  }
  reach(): number {
    return this.#samples.reach(this.#last);
  }
  inputs(): readonly Input[] {
    return Array.from({ length: this.#last + 1 }, (_, row) => this.#samples.inputs(row)).flat();
  }
  keep(): void {
    this.#samples.keep();
  }
}
