import { sizeOfRows } from "../schema/size-of.ts";
import type { Budget, Holder } from "./budget.ts";
import { CHUNK_BYTES, type Chunk, rowsOf, slice } from "./chunk.ts";

/**
 * Cuts chunks for a stage whose outputs may be much larger than its inputs, so that those of one piece do not outgrow
 * {@link CHUNK_BYTES} by much: the first piece is one row, and what came of it says how many the next has.
 */
export class Pieces {
  readonly #holder: Holder;
  readonly #budget: Budget;
  #rows = 1;

  constructor(holder: Holder, budget: Budget) {
    this.#holder = holder;
    this.#budget = budget;
  }

  *of(chunk: Chunk): Generator<Chunk> {
    for (let from = 0; from < chunk.length; ) {
      const to = Math.min(chunk.length, from + this.#rows);
      yield slice(chunk, from, to);
      from = to;
    }
  }

  /** What came of a piece, or of a part of it. */
  made(output: Chunk): void {
    const bytes = sizeOfRows(rowsOf(output));
    this.#holder.hold(bytes, output.length);
    this.#budget.gaveAway(bytes);
    const fit = Math.max(1, Math.floor((CHUNK_BYTES * output.length) / bytes));
    this.#rows = Math.min(fit, 4 * this.#rows);
  }
}
