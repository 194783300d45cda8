import { sizeOfRows } from "../schema/size-of.ts";
import { type Chunk, rowsOf } from "./chunk.ts";
import { JoinedTrace } from "./joined-trace.ts";
import type { Trace } from "./trace.ts";

/** Rows of several chunks, kept as values until there are enough of them. */
export class HeldRows {
  #rows: unknown[] = [];
  #trace = new JoinedTrace();
  readonly #measured: boolean;
  #bytes = 0;

  /** `measured`: whether {@link bytes} will be asked for. */
  constructor(measured: boolean) {
    this.#measured = measured;
  }

  /** About how much memory the rows take. */
  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Takes rows `from` to `to`. */
  add(chunk: Chunk, from: number, to: number): void {
    const rows = rowsOf(chunk);
    chunk.trace.keep();
    for (let row = from; row < to; row++) this.#rows.push(rows[row]);
    if (this.#measured) this.#bytes += sizeOfRows(rows, from, to);
    this.#trace.add(chunk.trace, from, to - from);
  }

  /** Gives the rows away. */
  take(): { readonly rows: readonly unknown[]; readonly trace: Trace } {
    const taken = { rows: this.#rows, trace: this.#trace };
    [this.#rows, this.#trace, this.#bytes] = [[], new JoinedTrace(), 0];
    return taken;
  }
}
