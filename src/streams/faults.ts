import { PipelineError, type PipelineErrorFacts, withFacts } from "../errors.ts";
import type { Trace } from "./trace.ts";

/** What to do with an error: end the run with it, or count it and go on behind what it spoiled. */
export type ErrorPolicy = "raise" | "skip";

/** Policies by what an error spoils. @default "raise" for each */
export interface ErrorPolicies {
  /** One sample: its bytes do not decode, or a function fails at it. */
  readonly sample?: ErrorPolicy;
  /** The rest of a shard: a damaged header, a cut file. */
  readonly shard?: ErrorPolicy;
}

/** What went wrong in a run and did not end it. */
export interface FaultSummary {
  /** Samples left out. */
  readonly skippedSamples: number;
  /** Shards whose rest was left out. */
  readonly skippedShards: number;
  /** The first errors, 100 at most. */
  readonly errors: readonly PipelineError[];
  /** Things that are odd and spoil nothing, such as bytes behind the end of a shard; 100 at most. */
  readonly warnings: readonly string[];
}

const KEPT = 100;
/** A run ends when so many samples fail one after another: then it is not the samples that are wrong. */
const MAX_CONSECUTIVE = 100;

/** Decides about the errors of one run, and keeps account of them. */
export class Faults {
  readonly #policies: Required<ErrorPolicies>;
  readonly #signal: AbortSignal;
  readonly #errors: PipelineError[] = [];
  readonly #warnings: string[] = [];
  #samples = 0;
  #shards = 0;
  #consecutive = 0;

  constructor(policy: ErrorPolicy | ErrorPolicies, signal: AbortSignal) {
    const { sample = "raise", shard = "raise" } =
      typeof policy === "string" ? { sample: policy, shard: policy } : policy;
    for (const given of [sample, shard]) {
      if (given !== "raise" && given !== "skip") {
        throw new TypeError(`Cannot run: onError must be "raise" or "skip", not ${JSON.stringify(given)}`);
      }
    }
    this.#policies = { sample, shard };
    this.#signal = signal;
  }

  /** Which errors end the run. */
  get raises(): { readonly sample: boolean; readonly shard: boolean } {
    return { sample: this.#policies.sample === "raise", shard: this.#policies.shard === "raise" };
  }

  /** A stage failed at a row. Throws when the policy is to raise. */
  sample(cause: unknown, stage: string, trace: Trace, row: number): void {
    const error = this.#asError(cause, stage, trace, row);
    if (this.#policies.sample === "raise" || isNoFaultOfSample(cause)) throw error;
    this.#samples++;
    this.#consecutive++;
    this.#keep(error);
    if (this.#consecutive >= MAX_CONSECUTIVE) {
      throw withFacts(error, { hint: `${MAX_CONSECUTIVE} samples failed one after another: this is the last of them` });
    }
  }

  /** The rest of a shard cannot be read. Throws when the policy is to raise. */
  shard(cause: unknown, url: string): void {
    this.#signal.throwIfAborted();
    if (!(cause instanceof PipelineError)) throw cause;
    const error = namingShard(cause, url);
    if (this.#policies.shard === "raise") throw error;
    this.#shards++;
    this.#keep(error);
  }

  /** A sample came through a stage that may fail: failures are no longer in a row. */
  succeeded(): void {
    this.#consecutive = 0;
  }

  warn(warning: string): void {
    if (this.#warnings.length < KEPT) this.#warnings.push(warning);
  }

  get summary(): FaultSummary {
    return {
      skippedSamples: this.#samples,
      skippedShards: this.#shards,
      errors: this.#errors,
      warnings: this.#warnings,
    };
  }

  #keep(error: PipelineError): void {
    if (this.#errors.length < KEPT) this.#errors.push(error);
  }

  #asError(cause: unknown, stage: string, trace: Trace, row: number): PipelineError {
    this.#signal.throwIfAborted();
    const { shard, index, key, part } = trace.origin(row);
    const origin: PipelineErrorFacts = { stage, index, key, part, ...(shard === "" ? {} : { url: shard }) };
    const where = shard === "" ? `sample "${key}"` : `sample "${key}" of "${shard}"`;
    if (cause instanceof PipelineError) {
      if (cause.facts.key !== undefined) return cause;
      return new PipelineError(cause.code, `${cause.message} (${where})`, {
        ...cause.facts,
        ...origin,
        cause: cause.cause,
      });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new PipelineError("STAGE_FAILED", `Cannot ${stage} ${where}: ${reason}`, { ...origin, cause });
  }
}

/** What decompresses a shard, or waits for a network, does not know which shard it is. */
function namingShard(error: PipelineError, url: string): PipelineError {
  const message = error.message.includes(url) ? error.message : `${error.message} (shard "${url}")`;
  return new PipelineError(error.code, message, { url, ...error.facts, cause: error.cause });
}

/** What no other sample would mend: a module that is not there, memory that is not to be had. */
export function isNoFaultOfSample(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (code === "ERR_MODULE_NOT_FOUND" || code === "NOT_INSTALLED") return true;
  return cause instanceof RangeError && /allocation failed|out of memory/i.test(cause.message);
}
