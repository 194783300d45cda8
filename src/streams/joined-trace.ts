import type { Input, Origin, Restart, Trace } from "./trace.ts";

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
