import type { AnySampleType } from "../schema/sample.ts";
import { refuse } from "../streams/checkpoint.ts";
import { type Chunk, rowChunk } from "../streams/chunk.ts";
import { CombinedTrace, type InputState, type Parts } from "../streams/combined-trace.ts";
import type { Json } from "../streams/operator.ts";
import type { InputPlan, Source, SourceRequest } from "../streams/source.ts";
import type { TurnsProgress, WeightStep } from "../streams/trace.ts";
import { closeInputs, type OpenInput, openInputs } from "./open-input.ts";
import { ownPositions } from "./own-positions.ts";
import { openTurns, type Turns } from "./turns.ts";

/** When a mix ends; see `mix`. */
export type StopRule = "first-exhausted" | "all-exhausted" | "all-exhausted-without-repeats";

/** Rows handed on at a time, where they are there without waiting. */
const CHUNK_ROWS = 256;

/** Items of several plans, one at a time: by weights, or without any one plan after another. */
export class MixedSource implements Source {
  readonly name: string;
  readonly type: AnySampleType | undefined;
  readonly inputs: readonly InputPlan[];
  readonly changeable: Json;
  readonly #weights: readonly WeightStep[] | undefined;
  readonly #stop: StopRule;

  constructor(
    name: string,
    inputs: readonly InputPlan[],
    type: AnySampleType | undefined,
    stop: StopRule,
    weights?: readonly WeightStep[],
  ) {
    this.name = name;
    this.inputs = inputs;
    this.type = type;
    this.#stop = stop;
    this.#weights = weights;
    this.changeable = weights?.map((step) => [step.from, step.weights]) ?? null;
  }

  describe(): Promise<Json> {
    return Promise.resolve(this.#stop);
  }

  async listShards(): Promise<readonly string[]> {
    return shardsOf(this.inputs);
  }

  async *read(request: SourceRequest): AsyncGenerator<Chunk> {
    const inputs = await openInputs(this, request);
    try {
      for await (const chunk of ownPositions(this.#mix(inputs, request), request.share)) yield chunk;
    } finally {
      await closeInputs(inputs);
    }
  }

  async *#mix(inputs: readonly OpenInput[], request: SourceRequest): AsyncGenerator<Chunk> {
    const saved = request.resume?.combined;
    const wanted = { inputs: inputs.length, measured: request.from, weights: this.#weights };
    const made = new MadeChunk(
      inputs,
      saved?.turns ?? wanted,
      saved?.inputs.map(({ taken = 0 }) => taken),
    );
    /** Where other inputs or weights than those of the checkpoint come in. */
    let change = saved?.turns == null || sameTurns(saved.turns, wanted) ? Number.POSITIVE_INFINITY : request.from;
    if (change < Number.POSITIVE_INFINITY) change = Math.max(change, saved?.fixedTo ?? 0);
    if (change === Number.MAX_SAFE_INTEGER) {
      refuse(
        `inputs or weights of ${this.name} differ, and items that were shuffled behind an operator that counts are under way`,
        "resume with the inputs and weights as they were",
      );
    }
    const repeats = this.#stop === "all-exhausted";
    let position = request.from;
    let unread: OpenInput | undefined;
    for (;;) {
      let turn = position < change ? made.turns.turn(position) : -1;
      if (turn >= 0 && repeats && (unread === undefined || unread.passes > 0 || unread.next === unread.rows.length)) {
        if (made.length > 0) yield made.take(position);
        unread = await firstUnread(inputs, made);
        if (unread === undefined) turn = -1;
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
            if (this.#stop !== "first-exhausted") {
              input.ended = true;
              made.measureAnew({ ...made.progress, measured: position });
              continue;
            }
            turn = -1;
          }
        }
      }
      if (turn < 0) {
        if (made.length > 0) yield made.take(position);
        if (change === Number.POSITIVE_INFINITY) return;
        // Nothing of the new inputs gets a place that a shuffle may have gone past.
        position = Math.max(position, change);
        change = Number.POSITIVE_INFINITY;
        made.measureAnew({ ...wanted, measured: position });
        continue;
      }
      made.add(turn);
      position++;
      if (made.length === CHUNK_ROWS) yield made.take(position);
    }
  }
}

/** An input that has items left which it did not give before; by then they are read. */
async function firstUnread(
  inputs: readonly OpenInput[],
  { turns, progress }: MadeChunk,
): Promise<OpenInput | undefined> {
  for (let i = 0; i < progress.inputs; i++) {
    const input = inputs[i]!;
    if (input.passes === 0 && !input.ended && turns.wants(i) && (await input.fill())) return input;
  }
  return undefined;
}

function sameTurns(a: TurnsProgress, b: TurnsProgress): boolean {
  return a.inputs === b.inputs && JSON.stringify(a.weights) === JSON.stringify(b.weights);
}

/** Rows taken in turns, until they are handed on: of one chunk of each input at most. */
class MadeChunk {
  turns!: Turns;
  progress!: TurnsProgress;
  readonly #inputs: readonly OpenInput[];
  #states: readonly InputState[] = [];
  #rows: unknown[] = [];
  #of = new Int32Array(CHUNK_ROWS);
  #at = new Int32Array(CHUNK_ROWS);

  constructor(inputs: readonly OpenInput[], progress: TurnsProgress, taken?: readonly number[]) {
    this.#inputs = inputs;
    this.measureAnew(progress, taken);
  }

  get length(): number {
    return this.#rows.length;
  }

  measureAnew(progress: TurnsProgress, taken: readonly number[] = []): void {
    this.progress = progress;
    const counts = this.#inputs.map(({ ended }, i) => (ended || i >= progress.inputs ? undefined : (taken[i] ?? 0)));
    this.turns = openTurns(progress, counts);
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
    return rowChunk(rows, new CombinedTrace(position - rows.length, new InTurns(of, at), this.#states, this.progress));
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

/** The shards of all inputs, each once. */
export async function shardsOf(inputs: readonly InputPlan[]): Promise<readonly string[]> {
  const lists = await Promise.all(inputs.map(({ source }) => source.listShards?.() ?? []));
  return [...new Set(lists.flat())];
}
