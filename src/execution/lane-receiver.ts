import { PipelineError } from "../errors.ts";
import { rowChunk } from "../streams/chunk.ts";
import type { Lane, LaneEvent } from "../streams/executor.ts";
import type { Faults } from "../streams/faults.ts";
import { SourceTrace } from "../streams/source-trace.ts";
import type { Input, Origin } from "../streams/trace.ts";
import { fromCrossing } from "./crossing-error.ts";
import { fromCrossingInputs, fromCrossingValue } from "./crossing-value.ts";
import { FRAME_BYTES, Frame } from "./frame.ts";
import { type CrossingInput, Flag, type FromLane, type LaneFault, type LanePort } from "./messages.ts";

/** Frames of one lane: one is filled, one is read, and one is on its way. */
const FRAMES = 3;
/** How long a lane that is told to stop is waited for: a function of the user may never end. */
const CLOSE_MS = 1000;

export interface ReceiverOptions {
  /** What of the faults of shards was told before, by any lane of the run. */
  readonly told: Set<string>;
  /** How long to wait for the next message; 0: as long as it takes. */
  readonly timeoutMs: number;
  /** Ends the thread, as it does not answer. */
  giveUp(): void;
}

/** The one row that a stage failed at. */
class FaultTrace extends SourceTrace {
  readonly #origin: Origin;
  readonly #inputs: readonly CrossingInput[];

  constructor(position: number, origin: Origin, inputs: readonly CrossingInput[]) {
    super(position, () => origin);
    [this.#origin, this.#inputs] = [origin, inputs];
  }

  override inputs(): readonly Input[] {
    return this.#inputs.length === 0 ? [{ origin: this.#origin }] : fromCrossingInputs(this.#inputs);
  }
}

/** The calling thread's end of a lane: what it sends, as events. */
export class LaneReceiver implements AsyncIterator<LaneEvent, undefined> {
  readonly #port: LanePort;
  readonly #flags: Int32Array;
  readonly #signal: AbortSignal;
  readonly #options: ReceiverOptions;
  readonly #restartsAgain: boolean;
  readonly #messages: FromLane[] = [];
  readonly #events: LaneEvent[] = [];
  readonly #shards: string[] = [];
  #lent: ArrayBuffer | undefined;
  /** The thread has started. How long that takes is the machine's affair. */
  #begun = false;
  #arrived: () => void = () => {};
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #onAbort = (): void => this.#stop();

  constructor(lane: Lane, port: LanePort, flags: Int32Array, signal: AbortSignal, options: ReceiverOptions) {
    [this.#port, this.#flags, this.#signal, this.#options] = [port, flags, signal, options];
    this.#restartsAgain = lane.operators.some(({ name }) => name === "flatMap");
    port.on("message", (message: FromLane) => {
      this.#begun = true;
      this.#messages.push(message);
      if (message.ended) this.#end();
      this.#arrived();
    });
    signal.addEventListener("abort", this.#onAbort, { once: true });
    for (let i = 0; i < FRAMES; i++) this.#giveBack(new ArrayBuffer(FRAME_BYTES));
  }

  /** The thread is gone: told behind what it has sent. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#failure = { error };
    this.#end();
    this.#arrived();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#port.postMessage("close");
    // At the end of the turn: what is on its way here is already there.
    setTimeout(() => this.#port.close(), 0);
  }

  #stop(): void {
    if (this.#ended) return;
    Atomics.store(this.#flags, Flag.STOP, 1);
    this.#port.postMessage("stop");
  }

  #giveBack(buffer: ArrayBuffer): void {
    if (!this.#ended) this.#port.postMessage(buffer, [buffer]);
  }

  async next(): Promise<IteratorResult<LaneEvent, undefined>> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#lent !== undefined) this.#giveBack(this.#lent);
      this.#lent = undefined;
      const message = this.#messages.shift();
      if (message !== undefined) this.#open(message);
      else if (this.#failure !== undefined) throw this.#failure.error;
      else if (this.#ended) return { done: true, value: undefined };
      else await this.#wait();
    }
  }

  async #wait(): Promise<void> {
    this.#signal.throwIfAborted();
    const { timeoutMs, giveUp } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (timeoutMs > 0 && this.#begun) {
      timer = setTimeout(() => {
        this.fail(
          new PipelineError(
            "THREAD_FAILED",
            `Cannot go on: a thread did not answer for ${timeoutMs} ms, and was ended`,
            {
              hint: "a task may wait for what never comes; or give threads({ timeoutMs }) more time",
            },
          ),
        );
        giveUp();
      }, timeoutMs);
    }
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
      Atomics.store(this.#flags, Flag.HUNGRY, 1);
    });
    clearTimeout(timer);
  }

  #open({ buffer, rows, shards, values, inputs, read, faults, mark }: FromLane): void {
    this.#shards.push(...shards);
    if (buffer !== undefined) {
      this.#lent = buffer;
      const { records, trace } = new Frame(buffer).open(
        rows,
        this.#shards,
        this.#restartsAgain,
        inputs?.map(fromCrossingInputs),
      );
      const chunk =
        values === undefined
          ? ({ kind: "records", length: rows, trace, records } as const)
          : rowChunk(fromCrossingValue(values) as readonly unknown[], trace);
      this.#events.push({ kind: "chunk", position: trace.position(0), chunk });
    }
    for (const fault of faults) this.#events.push(this.#faultEvent(fault));
    if (read.samples > 0 || read.bytes > 0) this.#events.push({ kind: "read", position: 0, read });
    if (mark > 0) this.#events.push({ kind: "mark", position: mark });
  }

  #faultEvent(fault: LaneFault): LaneEvent {
    const { scope, position, once, error: crossed, stage, index, at = 0, given, inputs = [] } = fault;
    const { told } = this.#options;
    return {
      kind: "fault",
      position,
      tell(faults: Faults) {
        if (once !== "" && told.has(once)) return;
        told.add(once);
        const error = fromCrossing(crossed);
        if (scope === "end") throw error;
        if (scope === "warning") faults.warn(stage);
        else if (scope === "shard") faults.shard(error, stage, index);
        else faults.of(at).sample(error, stage, new FaultTrace(position, fault.origin!, inputs), 0, given);
      },
    };
  }

  /** Ends the lane early. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#stop();
    const late = performance.now() + CLOSE_MS;
    while (!this.#ended && performance.now() < late) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
        setTimeout(resolve, CLOSE_MS);
      });
    }
    this.#end();
    return { done: true, value: undefined };
  }
}
