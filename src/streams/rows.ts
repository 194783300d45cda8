import { type Chunk, type ColumnChunk, rowChunk, rowsOf } from "./chunk.ts";
import type { Stage, StageContext } from "./operator.ts";
import { finish, hashNumbers, randomNumbers } from "./random.ts";
import type { Origin, Trace } from "./trace.ts";
import { PickedTrace, traceFrom } from "./trace-of.ts";

/**
 * What a function over samples is told about the one it is given. The object is used again for the next sample, unless the
 * function returned a promise.
 */
export interface SampleInfo {
  /** Where the sample comes from. */
  readonly origin: Origin;
  /** Aborted when the run is. */
  readonly signal: AbortSignal;
  /** The next random number in [0, 1): depends on the epoch, the operator and the sample's place, and on nothing else. */
  random(): number;
}

/** One `SampleInfo` for the rows of a chunk, and the row a loop over them has come to; nothing is worked out before it is asked for. */
export class RowInfo implements SampleInfo {
  row: number;
  readonly #trace: Trace;
  readonly #context: StageContext;
  #random: (() => number) | undefined;
  #randomRow = -1;

  constructor(trace: Trace, context: StageContext, row = 0) {
    this.#trace = trace;
    this.#context = context;
    this.row = row;
  }

  get origin(): Origin {
    return this.#trace.origin(this.row);
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  // A function of its own, so that it can be taken out of the object: ({ random }) => random()
  readonly random = (): number => {
    if (this.#random === undefined || this.#randomRow !== this.row) {
      const { epoch, nth } = this.#context;
      const seed = hashNumbers(epoch, nth, this.#trace.position(this.row), this.#trace.part(this.row));
      this.#random = randomNumbers(finish(seed));
      this.#randomRow = this.row;
    }
    return this.#random();
  };
}

/** The outputs of one chunk, and which rows they come from. */
export class Outputs {
  rows: unknown[] = [];
  /** The rows of the input themselves come out. */
  unchanged = false;
  /** Rows of the input that the outputs come from, one for each; empty when each row has exactly one. */
  readonly from: number[] = [];
}

/**
 * Goes through rows from `at.row` on, moving it along. Operators write this loop themselves, so that each calls its function
 * from a place of its own: one place for all of them would be three times as slow.
 */
export type RowLoop = (rows: readonly unknown[], at: RowInfo, out: Outputs) => void;

/** A stage that loops over rows. `columns`: what it does with a chunk of columns instead of taking it apart. */
export function rowStage(
  context: StageContext,
  name: string,
  loop: RowLoop,
  columns?: (chunk: ColumnChunk) => ColumnChunk,
): Stage {
  return async function* (chunks) {
    for await (const chunk of chunks) {
      if (columns !== undefined && chunk.kind === "columns") {
        const done = columns(chunk);
        if (done.length > 0) yield done;
      } else {
        for (const done of eachRow(chunk, context, name, loop)) yield done;
      }
    }
  };
}

/**
 * Works through the rows of a chunk. What comes before a failing row goes out first; then the fault is dealt with, and the loop
 * is called again for what is behind it. So no function is called twice for a row.
 */
export function* eachRow(chunk: Chunk, context: StageContext, name: string, loop: RowLoop): Generator<Chunk> {
  const rows = rowsOf(chunk);
  const at = new RowInfo(chunk.trace, context);
  while (at.row < rows.length) {
    const first = at.row;
    const out = new Outputs();
    let failed = false;
    let failure: unknown;
    try {
      loop(rows, at, out);
    } catch (error) {
      [failed, failure] = [true, error];
    }
    const row = at.row;
    if (out.unchanged) out.rows = rows.slice(first, row);
    if (out.rows.length > 0) yield rowChunk(out.rows, traceOf(chunk.trace, out, first));
    if (row > first) context.faults.succeeded();
    if (!failed) return; // somebody may wait with `at` in hand
    context.faults.sample(failure, name, chunk.trace, row);
    at.row = row + 1;
  }
}

function traceOf(trace: Trace, { from }: Outputs, first: number): Trace {
  return from.length > 0 ? new PickedTrace(trace, Int32Array.from(from)) : traceFrom(trace, first);
}
