import type { Piscina } from "piscina";
import { PipelineError } from "../errors.ts";
import type { LaneOrder, WorkOrder } from "./messages.ts";

const MARK = Symbol.for("shardstream.thread");

/** One thread: a pool of one, so that it is known which lane works where, and which thread has to go when a lane hangs. */
export class Thread {
  readonly #maxMemoryMb: number | undefined;
  #pool: Promise<Piscina> | undefined;

  constructor(maxMemoryMb: number | undefined) {
    this.#maxMemoryMb = maxMemoryMb;
  }

  /** Whether this code runs on such a thread. */
  static get isOne(): boolean {
    return MARK in globalThis;
  }

  static markThisOne(): void {
    (globalThis as Record<symbol, unknown>)[MARK] = true;
  }

  /** Runs a lane to its end. Fails when the thread does. */
  run(order: LaneOrder): Promise<void> {
    return this.#run(order, "lane");
  }

  /** Does a piece of work. Fails when the thread does. */
  work(order: WorkOrder): Promise<void> {
    return this.#run(order, "work");
  }

  async #run(order: LaneOrder | WorkOrder, name: string): Promise<void> {
    this.#pool ??= open(this.#maxMemoryMb);
    const pool = await this.#pool;
    try {
      await pool.run(order, { name, transferList: [order.port as never] });
    } catch (cause) {
      throw threadFailed(cause);
    }
  }

  /** Ends the thread; the next lane gets another. */
  async restart(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool)?.destroy();
  }

  close(): Promise<void> {
    return this.restart();
  }
}

async function open(maxMemoryMb: number | undefined): Promise<Piscina> {
  const { Piscina } = await import("piscina").catch((cause: unknown) => {
    throw new PipelineError("NOT_INSTALLED", 'Cannot start threads: the package "piscina" is not installed', {
      hint: "npm install piscina@5",
      cause,
    });
  });
  // Beside this file when built, and one folder up from it: as .ts unbuilt, as .js built.
  const ending = /\.\w+$/.exec(import.meta.url)![0];
  const pool = new Piscina({
    filename: new URL(`../worker${ending}`, import.meta.url).href,
    name: "lane",
    minThreads: 1,
    maxThreads: 1,
    // Lanes of several runs share a thread: with one at a time, a run that nobody reads would keep the others waiting.
    concurrentTasksPerWorker: 1024,
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: "disabled",
    recordTiming: false,
    ...(maxMemoryMb !== undefined && { resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb } }),
  });
  // A thread that fails while it has nothing to do is replaced.
  pool.on("error", () => {});
  return pool;
}

function threadFailed(cause: unknown): PipelineError {
  if (cause instanceof PipelineError) return cause;
  const { message, code } = cause as Error & { code?: string };
  const outOfMemory = code === "ERR_WORKER_OUT_OF_MEMORY";
  const what = outOfMemory ? "a thread ran out of memory" : `a thread ended: ${message}`;
  const hint = outOfMemory
    ? "give threads({ maxMemoryMb }) more, or use fewer threads"
    : "a task may have ended it, by process.exit() or an error that nobody caught";
  return new PipelineError("THREAD_FAILED", `Cannot go on: ${what}`, { cause, hint });
}
