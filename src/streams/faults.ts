import { isMisuse, misuse, PipelineError, type PipelineErrorFacts, withFacts } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import type { OpenQuarantine, Quarantine, QuarantinedFault } from "./quarantine.ts";
import type { Trace } from "./trace.ts";

/**
 * What to do with an error: end the run with it; count it and go on behind what it spoiled; or, with `quarantine(path)`, also
 * keep what it spoiled in a file.
 */
export type ErrorPolicy = "raise" | "skip" | Quarantine;

/** Policies by what an error spoils. @default "raise" for each */
export interface ErrorPolicies {
  /** One sample: its bytes do not decode, or a function fails at it. */
  readonly sample?: ErrorPolicy;
  /** The rest of a shard: a damaged header, a cut file. */
  readonly shard?: ErrorPolicy;
  /** The rest of one of several datasets that are read together. */
  readonly source?: ErrorPolicy;
  /**
   * The run ends when so many samples fail one after another: then it is not the samples that are wrong. A whole number >= 1,
   * or `Infinity`. @default 100
   */
  readonly maxConsecutive?: number;
}

/** What went wrong in a run and did not end it. */
export interface FaultSummary {
  /** Items left out. */
  readonly skippedSamples: number;
  /** Shards whose rest was left out. */
  readonly skippedShards: number;
  /** Datasets of several whose rest was left out. */
  readonly skippedSources: number;
  /** Samples that are in quarantine instead; of a batch that failed, each. */
  readonly quarantinedSamples: number;
  readonly quarantinedShards: number;
  readonly quarantinedSources: number;
  /** The first errors, 100 at most. */
  readonly errors: readonly PipelineError[];
  /** Errors beyond those. */
  readonly moreErrors: number;
  /** Things that are odd and spoil nothing, such as bytes behind the end of a shard; 100 at most. */
  readonly warnings: readonly string[];
}

/** What an error spoils. */
export type FaultScope = QuarantinedFault["scope"];

/** Is told of what does not end a run. */
export interface FaultListener {
  fault(error: PipelineError, scope: FaultScope): void;
  warning(text: string): void;
}

const KEPT = 100;
const MAX_CONSECUTIVE = 100;

/** What the stages of one run have in common. */
class Account {
  readonly skipped: Record<FaultScope, number> = { sample: 0, shard: 0, source: 0 };
  readonly quarantined: Record<FaultScope, number> = { sample: 0, shard: 0, source: 0 };
  readonly errors: PipelineError[] = [];
  readonly warnings: string[] = [];
  moreErrors = 0;
  consecutive = 0;
  listener: FaultListener | undefined;
  readonly open = new Map<Quarantine, OpenQuarantine>();
}

/** Decides about the errors of one run, and keeps account of them. */
export class Faults {
  readonly #policies: Record<FaultScope, ErrorPolicy>;
  readonly #maxConsecutive: number;
  readonly #signal: AbortSignal;
  #account = new Account();
  /** Place in the plan of the stage that this is for. */
  #at = 0;

  constructor(policy: ErrorPolicy | ErrorPolicies, signal: AbortSignal) {
    const isOne = typeof policy === "string" || isQuarantine(policy);
    const given: ErrorPolicies = isOne ? { sample: policy, shard: policy, source: policy } : policy;
    const { sample = "raise", shard = "raise", source = "raise", maxConsecutive = MAX_CONSECUTIVE } = given;
    for (const one of [sample, shard, source]) {
      if (one === "raise" || one === "skip" || isQuarantine(one)) continue;
      const hint = 'onError must be "raise", "skip" or quarantine(path)';
      throw misuse(new TypeError(`Cannot run: ${hint}, not ${JSON.stringify(one)}`));
    }
    if (!(maxConsecutive >= 1) || (Number.isFinite(maxConsecutive) && !Number.isInteger(maxConsecutive))) {
      throw misuse(new RangeError(`Cannot run: maxConsecutive must be a whole number >= 1, not ${maxConsecutive}`));
    }
    this.#policies = { sample, shard, source };
    this.#maxConsecutive = maxConsecutive;
    this.#signal = signal;
  }

  /** The same account, as the stage at a place of the plan sees it. */
  of(at: number): Faults {
    const faults = new Faults({ ...this.#policies, maxConsecutive: this.#maxConsecutive }, this.#signal);
    faults.#account = this.#account;
    faults.#at = at;
    return faults;
  }

  /** Which errors end the run. */
  get raises(): { readonly sample: boolean; readonly shard: boolean } {
    return { sample: this.#policies.sample === "raise", shard: this.#policies.shard === "raise" };
  }

  /** Whether samples may have to be kept: stages that hold rows then hold what these were made of too. */
  get keepsInputs(): boolean {
    return isQuarantine(this.#policies.sample);
  }

  /** Whether the run goes on behind samples that fail: then fewer come out than went in. */
  get leavesOutSamples(): boolean {
    return this.#policies.sample !== "raise";
  }

  /** The same of shards. */
  get leavesOutShards(): boolean {
    return this.#policies.shard !== "raise";
  }

  /** Opens what faults are put into. */
  async open(type: AnySampleType | undefined): Promise<void> {
    const { open } = this.#account;
    for (const policy of Object.values(this.#policies)) {
      if (isQuarantine(policy) && !open.has(policy)) open.set(policy, await policy.open(type));
    }
  }

  /** What is in quarantine is written, before anything behind it is handed out. */
  flush(): void {
    for (const quarantine of this.#account.open.values()) quarantine.flush();
  }

  close(): void {
    for (const quarantine of this.#account.open.values()) quarantine.close();
    this.#account.open.clear();
  }

  /**
   * A stage failed at a row. Throws when the policy is to raise.
   *
   * @param given Outputs of the row that were handed on before.
   */
  sample(cause: unknown, stage: string, trace: Trace, row: number, given = 0): void {
    this.#signal.throwIfAborted();
    if (isAbort(cause)) throw cause;
    const error = asError(cause, stage, trace, row);
    const policy = this.#policies.sample;
    if (policy === "raise" || isNoFaultOfSample(cause)) throw error;
    if (policy === "skip") {
      this.#account.skipped.sample++;
    } else {
      for (const input of trace.inputs(row)) {
        this.#put(policy, { scope: "sample", error, stage, at: this.#at, input, given });
      }
    }
    this.#keep(error, "sample");
    if (++this.#account.consecutive < this.#maxConsecutive) return;
    const hint = `${this.#account.consecutive} samples failed one after another: this is the last of them`;
    throw withFacts(error, { hint });
  }

  /** A shard cannot be read from sample `index` on. Throws when the policy is to raise. */
  shard(cause: unknown, url: string, index = 0): void {
    this.#signal.throwIfAborted();
    if (!(cause instanceof PipelineError)) throw cause;
    const error = namingShard(cause, url);
    if (isNoFaultOfSample(cause)) throw error;
    this.#leave(error, { scope: "shard", error, shard: url, index });
  }

  /** One of several datasets that are read together cannot be read on. Throws when the policy is to raise. */
  source(cause: unknown, name: string): void {
    this.#signal.throwIfAborted();
    if (!(cause instanceof PipelineError) || isNoFaultOfSample(cause)) throw cause;
    this.#leave(cause, { scope: "source", error: cause, source: name });
  }

  /** A sample came through a stage that may fail: failures are no longer in a row. */
  succeeded(): void {
    this.#account.consecutive = 0;
  }

  listen(listener: FaultListener): void {
    this.#account.listener = listener;
  }

  warn(warning: string): void {
    this.#account.listener?.warning(warning);
    if (this.#account.warnings.length < KEPT) this.#account.warnings.push(warning);
  }

  get summary(): FaultSummary {
    const { skipped, quarantined, errors, moreErrors, warnings } = this.#account;
    return {
      skippedSamples: skipped.sample,
      skippedShards: skipped.shard,
      skippedSources: skipped.source,
      quarantinedSamples: quarantined.sample,
      quarantinedShards: quarantined.shard,
      quarantinedSources: quarantined.source,
      errors,
      moreErrors,
      warnings,
    };
  }

  #leave(error: PipelineError, fault: QuarantinedFault): void {
    const policy = this.#policies[fault.scope];
    if (policy === "raise") throw error;
    if (policy === "skip") this.#account.skipped[fault.scope]++;
    else this.#put(policy, fault);
    this.#keep(error, fault.scope);
  }

  #put(quarantine: Quarantine, fault: QuarantinedFault): void {
    this.#account.open.get(quarantine)!.put(fault);
    this.#account.quarantined[fault.scope]++;
  }

  #keep(error: PipelineError, scope: FaultScope): void {
    const { errors, listener } = this.#account;
    listener?.fault(error, scope);
    if (errors.length < KEPT) errors.push(error);
    else this.#account.moreErrors++;
  }
}

const isQuarantine = (policy: unknown): policy is Quarantine =>
  typeof policy === "object" && policy !== null && "open" in policy;

const isAbort = (cause: unknown): boolean => cause instanceof DOMException && cause.name === "AbortError";

function asError(cause: unknown, stage: string, trace: Trace, row: number): PipelineError {
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

/** What decompresses a shard, or waits for a network, does not know which shard it is. */
function namingShard(error: PipelineError, url: string): PipelineError {
  const message = error.message.includes(url) ? error.message : `${error.message} (shard "${url}")`;
  return new PipelineError(error.code, message, { url, ...error.facts, cause: error.cause });
}

/** What no other sample would mend, by the code of an error: modules that are not there, sinks, budgets. */
const NO_FAULTS_OF_SAMPLES: ReadonlySet<unknown> = new Set([
  "BUDGET_TOO_SMALL",
  "ERR_MODULE_NOT_FOUND",
  "ERR_PACKAGE_PATH_NOT_EXPORTED",
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_DIR_IMPORT",
  "MODULE_NOT_FOUND",
  "NOT_INSTALLED",
  "SHARD_UNWRITABLE",
]);

/** Whether an error is the program's own, or the machine's: then going on to the next sample would hide it. */
export function isNoFaultOfSample(cause: unknown): boolean {
  if (isMisuse(cause) || NO_FAULTS_OF_SAMPLES.has((cause as { code?: unknown } | undefined)?.code)) return true;
  // Of code; text that does not parse is data.
  if (cause instanceof SyntaxError) return !/JSON|BigInt|regular expression/i.test(cause.message);
  return cause instanceof RangeError && /allocation failed|out of memory/i.test(cause.message);
}
