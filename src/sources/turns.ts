import type { TurnsProgress } from "../streams/trace.ts";
import { Assignment } from "./assignment.ts";

/** Decides whose turn it is. */
export interface Turns {
  /** The input that gives the item of a position; negative: there is none. Positions are asked for one after another. */
  turn(position: number): number;
  /** An input gave an item. */
  took(input: number): void;
  /** Items that an input gave since the weights were measured. */
  taken(input: number): number;
  /** Whether it may be an input's turn at a position or behind it. */
  wants(input: number, position: number): boolean;
}

/** `taken`: items that each input gave since the weights were measured; undefined for one that takes no part. */
export function openTurns({ measured, weights }: TurnsProgress, taken: readonly (number | undefined)[]): Turns {
  return weights === undefined ? new OneAfterAnother(taken) : new Assignment(weights, measured, taken);
}

/** The first input until it has no more, then the second. */
class OneAfterAnother implements Turns {
  readonly #first: number;

  constructor(taken: readonly (number | undefined)[]) {
    this.#first = taken.findIndex((count) => count !== undefined);
  }
  turn(): number {
    return this.#first;
  }
  took(): void {}
  taken(): number {
    return 0;
  }
  wants(): boolean {
    return true;
  }
}
