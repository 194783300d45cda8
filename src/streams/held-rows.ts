import { type Chunk, rowsOf } from "./chunk.ts";
import { JoinedTrace, type Trace } from "./trace.ts";

/** Rows of several chunks, kept as values until there are enough of them. */
export class HeldRows {
  #rows: unknown[] = [];
  #trace = new JoinedTrace();

  get length(): number {
    return this.#rows.length;
  }

  /** Takes rows `from` to `to`. */
  add(chunk: Chunk, from: number, to: number): void {
    const rows = rowsOf(chunk);
    chunk.trace.keep();
    for (let row = from; row < to; row++) this.#rows.push(rows[row]);
    this.#trace.add(chunk.trace, from, to - from);
  }

  /** Gives the rows away. */
  take(): { readonly rows: readonly unknown[]; readonly trace: Trace } {
    const taken = { rows: this.#rows, trace: this.#trace };
    [this.#rows, this.#trace] = [[], new JoinedTrace()];
    return taken;
  }
}
