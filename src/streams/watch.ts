import { misuse } from "../errors.ts";
import type { Faults } from "./faults.ts";
import type { Plan } from "./plan.ts";
import { type Meter, progressOf, type RunProgress, type Totals, totalsOf } from "./progress.ts";
import { openTelemetry, type Telemetry } from "./telemetry.ts";
import { StageClock, type StageTime } from "./timings.ts";

/** What to see of a run. All of it is off unless it is asked for. */
export interface WatchOptions {
  /** Is told how far the run has come: between two chunks, {@link progressEveryMs} apart at least, and at the end. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Milliseconds, >= 0. @default 1000 */
  readonly progressEveryMs?: number | undefined;
  /** Measure the time of each stage: `run.summary` then has `stages` and `slowest`. @default false */
  readonly timings?: boolean | undefined;
  /**
   * Spans and counters for OpenTelemetry (`@opentelemetry/api`), logs for LogTape (`@logtape/logtape`): both must be installed,
   * and are silent until the program sets them up. @default false
   */
  readonly telemetry?: boolean | undefined;
}

/** What the summary of a run says about time, with `timings`. */
export interface TimeSummary {
  /** The stages in order, each with the time it took by itself. */
  readonly stages?: readonly StageTime[];
  /** Name of the one that took the most. */
  readonly slowest?: string;
}

/** Watches one run. */
export class RunWatch {
  readonly meter: Meter = { samples: 0, bytes: 0 };
  readonly clock: StageClock | undefined;
  /** Name of the sink. */
  consumer = "consumer";
  readonly #plan: Plan;
  readonly #options: WatchOptions;
  #telemetry: Telemetry | undefined;
  #reported = { samples: 0, bytes: 0 };
  #totals: Totals | undefined;
  #start: number | undefined;
  #end: number | undefined;
  #told = 0;

  constructor(plan: Plan, options: WatchOptions) {
    const { onProgress, progressEveryMs = 1000, timings = false } = options;
    if (onProgress !== undefined && typeof onProgress !== "function") {
      throw misuse(new TypeError(`Cannot run: onProgress must be a function, not ${typeof onProgress}`));
    }
    if (!(progressEveryMs >= 0)) {
      throw misuse(new RangeError(`Cannot run: progressEveryMs must be a number >= 0, not ${progressEveryMs}`));
    }
    this.#plan = plan;
    this.#options = options;
    this.clock = timings ? new StageClock() : undefined;
  }

  /** The run opens its source. */
  async start(faults: Faults): Promise<void> {
    this.#start = performance.now();
    this.#told = this.#start;
    if (this.#options.telemetry === true) {
      const { source, operators } = this.#plan;
      const telemetry = await openTelemetry([source.name, ...operators.map(({ name }) => name)].join(" > "));
      this.#telemetry = telemetry;
      this.meter.openShard = (url) => {
        const closed = telemetry.shard(url);
        return () => {
          this.#report();
          closed();
        };
      };
      faults.listen(telemetry);
    }
    if (this.#options.onProgress !== undefined) await this.#findTotals();
  }

  /** A chunk has come. */
  tick(items: number): void {
    if (this.#options.onProgress === undefined) return;
    const now = performance.now();
    if (now - this.#told < (this.#options.progressEveryMs ?? 1000)) return;
    this.#told = now;
    this.#options.onProgress(this.progress(items));
  }

  /** Nothing more will come. Only the first call counts. */
  end(items: number, failure?: { readonly error: unknown }): void {
    if (this.#start === undefined || this.#end !== undefined) return;
    this.#end = performance.now();
    this.#report();
    const progress = this.progress(items);
    this.#telemetry?.end(progress, failure);
    this.#options.onProgress?.(progress);
  }

  progress(items: number): RunProgress {
    if (this.#totals === undefined) void this.#findTotals();
    return progressOf(items, this.meter, this.#totals ?? {}, {
      elapsedMs: this.#elapsed,
      ended: this.#end !== undefined,
      isWhole: !this.#plan.operators.some(({ name }) => name === "take"),
    });
  }

  get summary(): TimeSummary {
    const stages = this.clock?.times(this.#elapsed, this.consumer);
    if (stages === undefined) return {};
    return { stages, slowest: stages.reduce((most, stage) => (stage.ms > most.ms ? stage : most)).name };
  }

  get #elapsed(): number {
    return this.#start === undefined ? 0 : (this.#end ?? performance.now()) - this.#start;
  }

  async #findTotals(): Promise<void> {
    this.#totals = {};
    this.#totals = await totalsOf(this.#plan);
  }

  #report(): void {
    const { samples, bytes } = this.meter;
    this.#telemetry?.read(samples - this.#reported.samples, bytes - this.#reported.bytes);
    this.#reported = { samples, bytes };
  }
}
