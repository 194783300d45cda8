import type { Input, Origin, Restart, Stored, Trace } from "./trace.ts";

/** Rows as they come out of a source, which goes on from any of them by its number alone. */
export abstract class ReadTrace implements Trace {
  abstract position(row: number): number;
  abstract origin(row: number): Origin;

  part(): number {
    return 0;
  }
  restart(row: number, again: boolean): Restart {
    return { start: this.position(row) + (again ? 0 : 1) };
  }
  reach(row: number): number {
    return this.position(row) + 1;
  }
  inputs(row: number): readonly Input[] {
    return [{ origin: this.origin(row) }];
  }
  keep(): void {}
}

/** Rows read one after another from a source. */
export class SourceTrace extends ReadTrace {
  readonly #first: number;
  readonly #origin: (row: number) => Origin;
  readonly #stored: ((row: number) => Stored) | undefined;

  /** `stored` is for rows that are not what was read: a line that does not parse. */
  constructor(first: number, origin: (row: number) => Origin, stored?: (row: number) => Stored) {
    super();
    this.#first = first;
    this.#origin = origin;
    this.#stored = stored;
  }

  override position(row: number): number {
    return this.#first + row;
  }
  override origin(row: number): Origin {
    return this.#origin(row);
  }
  override inputs(row: number): readonly Input[] {
    return [{ origin: this.#origin(row), stored: this.#stored?.(row) }];
  }
}
