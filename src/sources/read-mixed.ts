import { type Chunk, rowChunk } from "../streams/chunk.ts";
import { CombinedTrace, type InputState, type Parts } from "../streams/combined-trace.ts";
import type { Source, SourceRequest } from "../streams/source.ts";
import type { InputProgress, TurnsProgress } from "../streams/trace.ts";
import type { StopRule } from "./mixed.ts";
import { closeInputs, type OpenInput, openInputs } from "./open-input.ts";
import { ownPositions } from "./own-positions.ts";
import { openTurns, type Turns } from "./turns.ts";

/** Rows handed on at a time, where they are there without waiting. */
const CHUNK_ROWS = 256;

/** Reads items of the inputs of a source, each when it is its turn. */
export async function* readMixed(
  source: Source,
  stop: StopRule,
  turns: readonly TurnsProgress[],
  request: SourceRequest,
): AsyncGenerator<Chunk> {
  const inputs = await openInputs(source, request);
  try {
    for await (const chunk of ownPositions(mixed(inputs, stop, turns, request), request.share)) yield chunk;
  } finally {
    await closeInputs(inputs);
  }
}

async function* mixed(
  inputs: readonly OpenInput[],
  stop: StopRule,
  turns: readonly TurnsProgress[],
  { from, resume }: SourceRequest,
): AsyncGenerator<Chunk> {
  const saved = resume?.combined?.inputs ?? [];
  const made = new MadeChunk(inputs, turns, saved);
  const repeats = stop === "all-exhausted";
  let position = from;
  /** An input that has items left which it did not give before. */
  let unread = -1;
  for (;;) {
    let turn = position < made.change ? made.turns.turn(position) : -1;
    if (turn >= 0 && repeats && !made.hasUnread(unread, position)) {
      if (made.length > 0) yield made.take(position);
      unread = await made.firstUnread(position);
      if (unread < 0) turn = -1;
    }
    if (turn >= 0) {
      const input = inputs[turn]!;
      if (input.next === input.rows.length) {
        // What is there is handed on before waiting for more.
        if (made.length > 0) yield made.take(position);
        if (!(await input.fill())) {
          if (repeats && input.gave) {
            await input.close();
            input.startOver();
            continue;
          }
          if (stop !== "first-exhausted") {
            input.ended = true;
            made.measureAnew(position);
            continue;
          }
          turn = -1;
        }
      }
    }
    if (turn < 0) {
      if (made.length > 0) yield made.take(position);
      if (made.change === Number.POSITIVE_INFINITY) return;
      // Where it comes early, positions are left out: nothing new gets a place that a shuffle may have gone past.
      position = made.change;
      made.changeTurns();
      continue;
    }
    made.add(turn);
    position++;
    if (made.length === CHUNK_ROWS) yield made.take(position);
  }
}

/** Rows taken in turns, until they are handed on: of one chunk of each input at most. */
class MadeChunk {
  turns: Turns;
  #progress: readonly TurnsProgress[];
  readonly #inputs: readonly OpenInput[];
  #states: readonly InputState[] = [];
  #rows: unknown[] = [];
  #of = new Int32Array(CHUNK_ROWS);
  #at = new Int32Array(CHUNK_ROWS);

  constructor(inputs: readonly OpenInput[], progress: readonly TurnsProgress[], saved: readonly InputProgress[]) {
    this.#inputs = inputs;
    this.#progress = progress;
    this.turns = this.#open((i) => saved[i]?.taken);
  }

  get length(): number {
    return this.#rows.length;
  }

  /** The position from which other turns hold. */
  get change(): number {
    return this.#progress[1]?.measured ?? Number.POSITIVE_INFINITY;
  }

  changeTurns(): void {
    this.#progress = this.#progress.slice(1);
    this.turns = this.#open();
  }

  /** Divides the positions from this one on among the inputs that are left. */
  measureAnew(position: number): void {
    this.#progress = [{ ...this.#progress[0]!, measured: position }, ...this.#progress.slice(1)];
    this.turns = this.#open();
  }

  #open(taken: (input: number) => number | undefined = () => 0): Turns {
    const progress = this.#progress[0]!;
    const takesPart = (i: number): boolean => i < progress.inputs && !this.#inputs[i]!.ended;
    return openTurns(
      progress,
      this.#inputs.map((_, i) => (takesPart(i) ? (taken(i) ?? 0) : undefined)),
    );
  }

  /** Whether an input has a row here that it gave in no pass before, and will be asked for it. */
  hasUnread(nth: number, position: number): boolean {
    const input = this.#inputs[nth];
    if (input === undefined || input.passes > 0 || input.next === input.rows.length) return false;
    return this.turns.wants(nth, position);
  }

  /** The first such input, after reading what may be needed to know; negative: there is none. */
  async firstUnread(position: number): Promise<number> {
    for (let nth = 0; nth < this.#progress[0]!.inputs; nth++) {
      const input = this.#inputs[nth]!;
      if (input.passes > 0 || input.ended || !this.turns.wants(nth, position)) continue;
      if (await input.fill()) return nth;
    }
    return -1;
  }

  /** Takes the next row of an input. */
  add(turn: number): void {
    const length = this.#rows.length;
    if (length === 0) this.#states = this.#inputs.map((input, i) => input.state(this.turns.taken(i)));
    const input = this.#inputs[turn]!;
    this.#of[length] = turn;
    this.#at[length] = input.next;
    this.#rows.push(input.rows[input.next++]);
    this.turns.took(turn);
  }

  /** Gives the rows away; the last of them is in front of `position`. */
  take(position: number): Chunk {
    const [rows, of, at] = [this.#rows, this.#of, this.#at];
    [this.#rows, this.#of, this.#at] = [[], new Int32Array(CHUNK_ROWS), new Int32Array(CHUNK_ROWS)];
    return rowChunk(rows, new CombinedTrace(position - rows.length, new InTurns(of, at), this.#states, this.#progress));
  }
}

/** Each row is one of an input. */
class InTurns implements Parts {
  readonly #of: Int32Array;
  readonly #at: Int32Array;

  constructor(of: Int32Array, at: Int32Array) {
    this.#of = of;
    this.#at = at;
  }
  inputOf(row: number): number {
    return this.#of[row]!;
  }
  rowOf(row: number): number {
    return this.#at[row]!;
  }
  taken(input: number, row: number): number {
    let count = 0;
    for (let i = 0; i <= row; i++) if (this.#of[i] === input) count++;
    return count;
  }
}
