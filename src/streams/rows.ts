import { type Chunk, rowChunk, rowsOf } from "./chunk.ts";
import type { StageContext } from "./operator.ts";
import { finish, hashNumbers, randomNumbers } from "./random.ts";
import { FlatTrace, type Origin, PickedTrace, type Trace, traceFrom } from "./trace.ts";

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

/** One `SampleInfo` for the rows of a chunk; nothing is worked out before it is asked for. */
export class RowInfo implements SampleInfo {
  readonly #trace: Trace;
  readonly #context: StageContext;
  kept = false;
  #row = 0;
  #random: (() => number) | undefined;

  constructor(trace: Trace, context: StageContext) {
    this.#trace = trace;
    this.#context = context;
  }

  /** Somebody waits with it in hand: the next sample gets another one. */
  keep(): void {
    this.kept = true;
  }

  moveTo(row: number): this {
    this.#row = row;
    this.#random = undefined;
    return this;
  }

  get origin(): Origin {
    return this.#trace.origin(this.#row);
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  // A function of its own, so that it can be taken out of the object: ({ random }) => random()
  readonly random = (): number => {
    if (this.#random === undefined) {
      const { epoch, nth } = this.#context;
      const seed = hashNumbers(epoch, nth, this.#trace.position(this.#row), this.#trace.part(this.#row));
      this.#random = randomNumbers(finish(seed));
    }
    return this.#random();
  };
}

/** The outputs of one chunk, and which rows they come from. */
export interface Outputs {
  readonly rows: unknown[];
  /** Rows of the input that the outputs come from, one for each; empty when each row has exactly one. */
  readonly from: number[];
  /** Which output of its input each is; empty where an input has at most one. */
  readonly parts: number[];
}

/**
 * Works through the rows of a chunk with a synchronous function. What comes before a failing row goes out first; then the
 * fault is dealt with, and the loop goes on behind it. So no function is called twice for a row.
 */
export function* eachRow(
  chunk: Chunk,
  context: StageContext,
  name: string,
  step: (sample: unknown, info: RowInfo, row: number, out: Outputs) => void,
): Generator<Chunk, undefined> {
  const rows = rowsOf(chunk);
  let info = new RowInfo(chunk.trace, context);
  for (let first = 0; first < rows.length; ) {
    const out: Outputs = { rows: [], from: [], parts: [] };
    let row = first;
    let failed = false;
    let failure: unknown;
    try {
      for (; row < rows.length; row++) {
        step(rows[row], info.moveTo(row), row, out);
        if (info.kept) info = new RowInfo(chunk.trace, context);
      }
    } catch (error) {
      [failed, failure] = [true, error];
    }
    if (out.rows.length > 0) yield rowChunk(out.rows, traceOf(chunk.trace, out, first));
    if (row > first) context.faults.succeeded();
    if (failed) context.faults.sample(failure, name, chunk.trace, row);
    first = row + 1;
  }
}

function traceOf(trace: Trace, { from, parts }: Outputs, first: number): Trace {
  if (parts.length > 0) return new FlatTrace(trace, Int32Array.from(from), Int32Array.from(parts));
  if (from.length > 0) return new PickedTrace(trace, Int32Array.from(from));
  return traceFrom(trace, first);
}
