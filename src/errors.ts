/**
 * What can go wrong outside of the program: files, networks, data. Wrong arguments are `TypeError` and `RangeError`;
 * an abort is the caller's own `signal.reason`.
 */
export type PipelineErrorCode =
  /** An array value (ndarray, .npy) does not decode. */
  | "ARRAY_CORRUPT"
  /** What a stage must hold does not fit the budget of memory. */
  | "BUDGET_TOO_SMALL"
  /** A checkpoint belongs to another plan, or to another version of this library. */
  | "CHECKPOINT_MISMATCH"
  /** An offset index is damaged, or of a version that this library does not know. */
  | "INDEX_CORRUPT"
  /** A shard is not the one that its offset index was made of. */
  | "INDEX_STALE"
  /** A whole number does not fit the JavaScript number that was asked for. */
  | "INT_UNSAFE"
  /** A sample's key cannot be a name inside a shard. */
  | "KEY_INVALID"
  /** An optional part of shardstream is not installed. */
  | "NOT_INSTALLED"
  /** A shard pattern has unbalanced braces, or matches nothing. */
  | "PATTERN_INVALID"
  /** Arrays of one column have different shapes or dtypes. */
  | "RAGGED"
  /** One of several processes runs without being told which part of the samples is its own. */
  | "RANK_REQUIRED"
  /** A plan, or what was asked of it, cannot be shared out over ranks. */
  | "RANK_UNSUPPORTED"
  /** A sample's bytes do not decode. */
  | "SAMPLE_CORRUPT"
  /** A schema record or a field definition cannot be understood. */
  | "SCHEMA_INVALID"
  /** A sample's fields are not those of its type. */
  | "SCHEMA_MISMATCH"
  /** Something that is written needs a sample type, and the plan has none. */
  | "SCHEMA_REQUIRED"
  /** A shard is no tar, or a header or compressed block in it is damaged. */
  | "SHARD_CORRUPT"
  /** A shard ends before its end marker. */
  | "SHARD_TRUNCATED"
  /** A shard cannot be opened or read: no such file, a server's refusal, a broken connection. */
  | "SHARD_UNREADABLE"
  /** A shard, or what lies beside it, cannot be written. */
  | "SHARD_UNWRITABLE"
  /** A one-shot iterable or stream was read a second time. */
  | "SOURCE_CONSUMED"
  /** A user's function failed at a sample. */
  | "STAGE_FAILED"
  /** A thread did not find a task: its module does not load, or does not export it. */
  | "TASK_NOT_EXPORTED"
  /** A thread ended, ran out of memory, or did not answer in time. */
  | "THREAD_FAILED"
  /** This runtime, or this version, cannot do what was asked. */
  | "UNSUPPORTED";

const misuses = new WeakSet<Error>();

/** Marks the error of a wrong argument: no sample is at fault, so that a run ends with it whatever its policy is. */
export function misuse<E extends TypeError | RangeError>(error: E): E {
  misuses.add(error);
  return error;
}

/** Whether {@link misuse} marked it. */
export function isMisuse(error: unknown): boolean {
  return error instanceof Error && misuses.has(error);
}

/** What an error carries beside its message: plain data that survives a thread border. */
export interface PipelineErrorFacts {
  /** The next thing to try. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Address of the shard or resource. */
  readonly url?: string;
  /** Key of the sample. */
  readonly key?: string;
  /** Place of the sample in its shard, from 0. */
  readonly index?: number;
  /** Name of the stage, for example `map`. */
  readonly stage?: string;
  readonly [fact: string]: unknown;
}

/**
 * The one error class of shardstream. The message says what could not be done, to what, and what is the case;
 * {@link PipelineError.hint} says what to try; {@link PipelineError.facts} holds the values, for programs.
 *
 * @example Acting on a code
 * ```ts
 * try {
 *   await Array.fromAsync(dataset("train-{000000..000009}.tar"));
 * } catch (error) {
 *   if (error instanceof PipelineError && error.code === "SHARD_TRUNCATED") console.log(error.facts.url, error.hint);
 * }
 * ```
 */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
  readonly code: PipelineErrorCode;
  readonly facts: PipelineErrorFacts;

  constructor(code: PipelineErrorCode, message: string, facts: PipelineErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    const { cause: _, ...rest } = facts;
    this.facts = rest;
  }

  get hint(): string | undefined {
    return this.facts.hint;
  }
}

/** The same error with facts added that only an outer layer knows, such as the shard and the key. */
export function withFacts(error: PipelineError, facts: PipelineErrorFacts): PipelineError {
  const where = facts.key !== undefined && !error.message.includes(`"${facts.key}"`) ? ` (sample "${facts.key}")` : "";
  const outer = new PipelineError(error.code, error.message + where, { ...error.facts, ...facts, cause: error.cause });
  outer.stack = error.stack;
  return outer;
}
