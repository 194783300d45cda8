import { type Input, type Origin, type Progress, progressAt, type Restart, type Trace } from "./trace.ts";

/** Rows of another trace: what a subclass does not know better is what that one says. */
export abstract class TraceOf implements Trace {
  protected readonly of: Trace;

  constructor(of: Trace) {
    this.of = of;
  }

  /** Which row of the other trace a row is. */
  protected rowOf(row: number): number {
    return row;
  }

  position(row: number): number {
    return this.of.position(this.rowOf(row));
  }
  part(row: number): number {
    return this.of.part(this.rowOf(row));
  }
  origin(row: number): Origin {
    return this.of.origin(this.rowOf(row));
  }
  restart(row: number, again: boolean): Restart {
    return this.of.restart(this.rowOf(row), again);
  }
  reach(row: number): number {
    return this.of.reach(this.rowOf(row));
  }
  inputs(row: number): readonly Input[] {
    return this.of.inputs(this.rowOf(row));
  }
  keep(): void {
    this.of.keep();
  }
}

/** Some rows of another trace, in any order. */
export class PickedTrace extends TraceOf {
  readonly #rows: Int32Array;

  constructor(of: Trace, rows: Int32Array) {
    super(of);
    this.#rows = rows;
  }

  protected override rowOf(row: number): number {
    return this.#rows[row]!;
  }
}

/** The rows of another trace from one on. */
class RestTrace extends TraceOf {
  readonly #from: number;

  constructor(of: Trace, from: number) {
    super(of);
    this.#from = from;
  }

  protected override rowOf(row: number): number {
    return this.#from + row;
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

/** Rows numbered anew: the inputs of the next segment. */
export class CountedTrace extends TraceOf {
  readonly #first: number;
  readonly #earlier: () => Progress;

  /** `earlier` tells how far the segment before had come in front of row 0. */
  constructor(of: Trace, first: number, earlier: () => Progress) {
    super(of);
    this.#first = first;
    this.#earlier = earlier;
  }

  override position(row: number): number {
    return this.#first + row;
  }
  override part(): number {
    return 0;
  }
  override restart(row: number, again: boolean): Restart {
    const last = again ? row - 1 : row;
    return { start: this.#first + last + 1, before: last < 0 ? this.#earlier() : progressAt(this.of, last) };
  }
}

/** Rows under other numbers. */
export class ShiftedTrace extends TraceOf {
  readonly #by: number;

  constructor(of: Trace, by: number) {
    super(of);
    this.#by = by;
  }

  override position(row: number): number {
    return super.position(row) + this.#by;
  }
  override restart(row: number, again: boolean): Restart {
    return { start: super.restart(row, again).start + this.#by };
  }
}

/** Samples that a rank hands out once more, under numbers that no sample has. */
export class PaddingTrace extends ShiftedTrace {
  override origin(row: number): Origin {
    return { ...super.origin(row), padded: true };
  }
}

/** One batch as a row: it ends where its last sample does. */
export class BatchTrace extends TraceOf {
  readonly #last: number;

  constructor(samples: Trace, length: number) {
    super(samples);
    this.#last = length - 1;
  }

  protected override rowOf(): number {
    return this.#last;
  }
  override origin(): Origin {
    return this.of.origin(0);
  }
  override restart(row: number, again: boolean): Restart {
    return again ? this.of.restart(0, true) : super.restart(row, false);
  }
  override inputs(): readonly Input[] {
    return Array.from({ length: this.#last + 1 }, (_, row) => this.of.inputs(row)).flat();
  }
}
