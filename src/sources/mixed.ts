import type { AnySampleType } from "../schema/sample.ts";
import { refuse } from "../streams/checkpoint.ts";
import type { Chunk } from "../streams/chunk.ts";
import { later } from "../streams/later.ts";
import type { Json } from "../streams/operator.ts";
import type { InputPlan, Source, SourceRequest } from "../streams/source.ts";
import type { CombinedProgress, TurnsProgress, WeightStep } from "../streams/trace.ts";

/** When a mix ends; see `mix`. */
export type StopRule = "first-exhausted" | "all-exhausted" | "all-exhausted-without-repeats";

/** What to do where inputs are not what they were at a checkpoint. */
export const SAME_INPUTS = "resume with the inputs as they were, in the same order; further ones come behind them";

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

  #turns(measured: number): TurnsProgress {
    return { inputs: this.inputs.length, measured, weights: this.#weights };
  }

  resumed(combined: CombinedProgress, start: number): CombinedProgress {
    const { turns = [], fixedTo = 0 } = combined;
    const last = turns.at(-1);
    const wanted = this.#turns(Math.max(start, fixedTo, last?.measured ?? 0));
    if (last?.inputs === wanted.inputs && JSON.stringify(last.weights) === JSON.stringify(wanted.weights))
      return combined;
    if (last === undefined || last.inputs > wanted.inputs) {
      refuse(`the checkpoint has more inputs of ${this.name} than the ${wanted.inputs} of the dataset`, SAME_INPUTS);
    }
    if (fixedTo === Number.MAX_SAFE_INTEGER) {
      refuse(
        `inputs or weights of ${this.name} differ, and items that were shuffled behind an operator that counts are under way`,
        "resume with the inputs and weights as they were",
      );
    }
    return { ...combined, turns: [...turns, wanted] };
  }

  read(request: SourceRequest): AsyncIterable<Chunk> {
    const turns = request.resume?.combined?.turns ?? [this.#turns(request.from)];
    return later(async () => (await import("./loaded-later.ts")).readMixed(this, this.#stop, turns, request));
  }
}

/** The shards of all inputs, each once. */
export async function shardsOf(inputs: readonly InputPlan[]): Promise<readonly string[]> {
  const lists = await Promise.all(inputs.map(({ source }) => source.listShards?.() ?? []));
  return [...new Set(lists.flat())];
}
