import { PipelineError, withFacts } from "../errors.ts";
import { refuse } from "../streams/checkpoint.ts";
import { type Chunk, rowsOf } from "../streams/chunk.ts";
import type { InputState } from "../streams/combined-trace.ts";
import { fingerprintOfInput, openPlan } from "../streams/plan.ts";
import type { InputPlan, Source, SourceRequest } from "../streams/source.ts";
import { type InputProgress, type Progress, progressAt, type Trace } from "../streams/trace.ts";
import { SAME_INPUTS } from "./mixed.ts";

/** An input of a combined source in a pass: the rows of its chunks, one after another, and how far it has come. */
export class OpenInput {
  /** The rows of its chunk. */
  rows: readonly unknown[] = [];
  /** Which of them is next. */
  next = 0;
  /** It gives no more, also not from its start. */
  ended: boolean;
  /** How often it started over. */
  passes: number;
  /** Whether this pass over it gave something. */
  gave: boolean;
  readonly #plan: InputPlan;
  readonly #fingerprint: string;
  readonly #nth: number;
  readonly #request: SourceRequest;
  readonly #firstEpoch: number;
  #chunks: AsyncIterator<Chunk> | undefined;
  #trace: Trace | undefined;
  #before: () => Progress | undefined;
  #exhausted = false;

  constructor(
    plan: InputPlan,
    fingerprint: string,
    nth: number,
    request: SourceRequest,
    saved: InputProgress | undefined,
  ) {
    this.#plan = plan;
    this.#fingerprint = fingerprint;
    this.#nth = nth;
    this.#request = request;
    this.#firstEpoch = plan.epoch ?? request.epoch;
    this.passes = saved?.passes ?? 0;
    this.ended = saved?.ended ?? false;
    this.gave = saved?.progress != null;
    this.#before = () => saved?.progress ?? undefined;
    if (saved !== undefined && saved.epoch !== this.#epoch) {
      refuse(
        `the checkpoint has input ${nth} in epoch ${saved.epoch}, the dataset has it in epoch ${this.#epoch}`,
        "give the input the epoch that it had",
      );
    }
  }

  get #epoch(): number {
    return this.#firstEpoch + this.passes;
  }

  /** Makes sure that there is a next row; false: this pass over the input is at its end. */
  async fill(): Promise<boolean> {
    if (this.next < this.rows.length) return true;
    if (this.ended || this.#exhausted) return false;
    for (;;) {
      const chunk = await this.#read();
      if (chunk === undefined) {
        this.#exhausted = true;
        return false;
      }
      if (chunk.length === 0) continue;
      this.#before = this.#behind(this.next);
      [this.rows, this.next, this.#trace, this.gave] = [rowsOf(chunk), 0, chunk.trace, true];
      return true;
    }
  }

  /** The one place where the failure of an input arrives, at its turn; what came before it was handed out. */
  async #read(): Promise<Chunk | undefined> {
    const { faults, signal, meter, budget } = this.#request;
    try {
      const plan = { ...this.#plan, epoch: this.#epoch };
      this.#chunks ??= openPlan(plan, { faults, signal, meter, budget, resume: this.#before() })[
        Symbol.asyncIterator
      ]();
      const { done, value } = await this.#chunks.next();
      return done === true ? undefined : value;
    } catch (error) {
      faults.source(
        error instanceof PipelineError ? withFacts(error, { input: this.#nth }) : error,
        `${this.#plan.source.name}, input ${this.#nth}`,
      );
      // Left out: it gives no more, also not from its start.
      this.ended = true;
      return undefined;
    }
  }

  /** Begins a pass over the input in its next epoch. */
  startOver(): void {
    this.passes++;
    [this.rows, this.next, this.#trace, this.#chunks] = [[], 0, undefined, undefined];
    [this.gave, this.#exhausted, this.#before] = [false, false, () => undefined];
  }

  /** How far it has come in front of a row of its chunk. */
  #behind(next: number): () => Progress | undefined {
    const trace = this.#trace;
    return next === 0 || trace === undefined ? this.#before : () => progressAt(trace, next - 1);
  }

  /** How it stands, `taken` items after the weights were measured. */
  state(taken: number): InputState {
    return {
      plan: this.#fingerprint,
      epoch: this.#epoch,
      passes: this.passes,
      ended: this.ended,
      taken,
      trace: this.#trace,
      next: this.next,
      before: this.#behind(this.next),
    };
  }

  async close(): Promise<void> {
    await this.#chunks?.return?.();
  }
}

/**
 * Opens the inputs of a source where a checkpoint left them. Each must be what it was; inputs that the checkpoint does not know
 * begin at their start.
 *
 * @throws {PipelineError} `CHECKPOINT_MISMATCH`, naming the input that differs.
 */
export async function openInputs({ name, inputs = [] }: Source, request: SourceRequest): Promise<OpenInput[]> {
  const fingerprints = await Promise.all(inputs.map(fingerprintOfInput));
  request.signal.throwIfAborted();
  const saved = request.resume?.combined?.inputs ?? [];
  if (saved.length === 0 && request.from > 0)
    refuse(`the checkpoint says nothing of the inputs of ${name}`, SAME_INPUTS);
  if (saved.length > inputs.length) {
    refuse(`the checkpoint has ${saved.length} inputs of ${name}, the dataset has ${inputs.length}`, SAME_INPUTS);
  }
  saved.forEach(({ plan }, nth) => {
    if (plan !== fingerprints[nth]) refuse(`input ${nth} of ${name} is not what it was at the checkpoint`, SAME_INPUTS);
  });
  return inputs.map((plan, nth) => new OpenInput(plan, fingerprints[nth]!, nth, request, saved[nth]));
}

/** Closes all of them, also where one fails to. */
export async function closeInputs(inputs: readonly OpenInput[]): Promise<void> {
  const closed = await Promise.allSettled(inputs.map((input) => input.close()));
  for (const result of closed) if (result.status === "rejected") throw result.reason;
}
