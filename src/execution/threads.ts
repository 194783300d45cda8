import { decodeStage } from "../codec/decode-stage.ts";
import { misuse, PipelineError } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import type { AnySampleType } from "../schema/sample.ts";
import type { Executor, Lane, LaneEvent, WorkContext } from "../streams/executor.ts";
import type { Json } from "../streams/operator.ts";
import type { Part } from "../streams/ranks.ts";
import type { Decoder } from "../streams/source.ts";
import { LaneReceiver } from "./lane-receiver.ts";
import type { LanePort } from "./messages.ts";
import { Thread } from "./thread.ts";
import { workOn } from "./thread-work.ts";

export interface ThreadsOptions {
  /** How many threads work beside the calling one, a whole number >= 1. @default as many as the machine has processors */
  readonly size?: number;
  /** A thread that is waited for and sends nothing for so long is ended: `THREAD_FAILED`. @default 0, which is never */
  readonly timeoutMs?: number;
  /** MiB of JavaScript values that a thread may hold, on Node. @default that of the runtime */
  readonly maxMemoryMb?: number;
}

/**
 * Threads that run the first part of plans: the source, and the operators behind it that have an address (tasks, `select`,
 * `where`). Pass them as `run({ executor })` or `pipeTo(sink, { executor })`; the samples and their order are those of a run
 * without. They are started when first used, serve any number of runs, and do not keep a program from ending.
 *
 * @throws {RangeError} If `size` is not a whole number >= 1.
 * @throws {PipelineError} `NOT_INSTALLED` at the first run where the package `piscina` is missing; `THREAD_FAILED` when a
 * thread ends, runs out of memory, or does not answer in time.
 * @example
 * ```ts no-run
 * import { threads } from "shardstream/threads";
 *
 * await using workers = threads({ size: 4 });
 * await photos.map(embed({ model: "clip" })).pipeTo(shardWriter("vectors-%06d.tar"), { executor: workers });
 * ```
 */
export function threads(options: ThreadsOptions = {}): Threads {
  const { size = builtin("os").availableParallelism(), timeoutMs = 0, maxMemoryMb } = options;
  if (!Number.isSafeInteger(size) || size < 1 || size > 1024) {
    throw misuse(new RangeError(`Cannot make threads: size must be a whole number from 1 to 1,024, not ${size}`));
  }
  if (Thread.isOne) {
    throw misuse(
      new TypeError(
        "Cannot make threads inside of a thread: the module of a task starts the program again when it is imported; keep tasks in a module of their own",
      ),
    );
  }
  return new Threads(size, timeoutMs, maxMemoryMb);
}

/** See {@link threads}. */
export class Threads implements Executor, AsyncDisposable {
  readonly name: string;
  readonly lanes: number;
  readonly #threads: readonly Thread[];
  readonly #timeoutMs: number;
  /** What lanes of one run have told. */
  readonly #told = new WeakMap<Lane, Set<string>>();
  /** Pieces of work that each of them has. */
  readonly #working: number[];
  #disposed = false;

  constructor(size: number, timeoutMs: number, maxMemoryMb: number | undefined) {
    this.name = size === 1 ? "1 thread" : `${size} threads`;
    this.lanes = size;
    this.#timeoutMs = timeoutMs;
    this.#working = new Array(size).fill(0);
    this.#threads = Array.from({ length: size }, () => new Thread(maxMemoryMb));
  }

  /** Read by the engine. */
  open(lane: Lane, part: Part, signal: AbortSignal): AsyncIterator<LaneEvent, undefined> {
    if (this.#disposed) throw disposed();
    const { MessageChannel } = builtin("worker_threads");
    const { port1, port2 } = new MessageChannel();
    const flags = new SharedArrayBuffer(8);
    const told = this.#told.get(lane) ?? new Set<string>();
    this.#told.set(lane, told);
    const thread = this.#threads[part.index]!;
    const receiver = new LaneReceiver(lane, port1 as unknown as LanePort, new Int32Array(flags), signal, {
      told,
      timeoutMs: this.#timeoutMs,
      giveUp: () => void thread.restart(),
    });
    const order = { lane, part, flags, port: port2 as unknown as LanePort };
    thread.run(order).catch((error: unknown) => receiver.fail(error));
    return receiver;
  }

  /** Read by jobs. */
  async work(name: string, order: Json, context: WorkContext): Promise<Json> {
    if (this.#disposed) throw disposed();
    const nth = this.#working.indexOf(Math.min(...this.#working));
    this.#working[nth]!++;
    try {
      return await workOn(this.#threads[nth]!, { name, order, timeoutMs: this.#timeoutMs }, context);
    } finally {
      this.#working[nth]!--;
    }
  }

  /** Read by the engine. */
  decoder(type: AnySampleType): Decoder {
    return { columns: true, open: (request) => decodeStage(type, {}, request) };
  }

  /** Ends the threads; runs that still use them fail. Twice is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

const disposed = (): PipelineError =>
  new PipelineError("THREAD_FAILED", "Cannot run: these threads were disposed of", { hint: "make others" });
