import { ReadTrace } from "./source-trace.ts";
import {
  type CombinedProgress,
  type Input,
  type InputProgress,
  type Origin,
  type Progress,
  progressAt,
  type Restart,
  type Trace,
} from "./trace.ts";

/** An input of a combined source, as it stands in front of a chunk that is made of its rows and those of others. */
export interface InputState extends Omit<InputProgress, "progress"> {
  readonly taken: number;
  /** What the chunk takes its rows from; absent: it takes none. */
  readonly trace: Trace | undefined;
  /** The row of it that is the input's next. */
  readonly next: number;
  /** How far the input has come before that row. */
  before(): Progress | undefined;
}

/** Which rows of the inputs make up the rows of a chunk. */
export interface Parts {
  /** The input that gives a row its origin. */
  inputOf(row: number): number;
  /** The row of that input's trace. */
  rowOf(row: number): number;
  /** Rows of an input among those up to `row`. */
  taken(input: number, row: number): number;
}

/** Rows taken from several inputs, from one chunk of each at most: the progress of all of them is worked out when asked for. */
export class CombinedTrace extends ReadTrace {
  readonly #first: number;
  readonly #parts: Parts;
  readonly #inputs: readonly InputState[];
  readonly #turns: CombinedProgress["turns"];

  constructor(first: number, parts: Parts, inputs: readonly InputState[], turns: CombinedProgress["turns"]) {
    super();
    this.#first = first;
    this.#parts = parts;
    this.#inputs = inputs;
    this.#turns = turns;
  }

  override position(row: number): number {
    return this.#first + row;
  }
  override origin(row: number): Origin {
    return this.#inputs[this.#parts.inputOf(row)]!.trace!.origin(this.#parts.rowOf(row));
  }
  override restart(row: number, again: boolean): Restart {
    const last = again ? row - 1 : row;
    const inputs = this.#inputs.map((input, i) => progressBehind(input, last < 0 ? 0 : this.#parts.taken(i, last)));
    return {
      start: this.#first + last + 1,
      combined: { inputs, ...(this.#turns && { turns: this.#turns }) },
    };
  }
  override inputs(row: number): readonly Input[] {
    return this.#inputs[this.#parts.inputOf(row)]!.trace!.inputs(this.#parts.rowOf(row));
  }
  override keep(): void {
    for (const { trace } of this.#inputs) trace?.keep();
  }
}

/** How far an input has come behind so many more of its rows. What says nothing is left out: checkpoints stay small. */
function progressBehind(input: InputState, rows: number): InputProgress {
  const { plan, epoch, passes, ended, trace, next } = input;
  const taken = input.taken + rows;
  const progress = rows === 0 ? input.before() : progressAt(trace!, next + rows - 1);
  return {
    plan,
    epoch,
    ...(passes && { passes }),
    ...(taken > 0 && { taken }),
    ...(ended ? { ended } : progress && { progress }),
  };
}
