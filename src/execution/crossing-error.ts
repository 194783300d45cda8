import { PipelineError, type PipelineErrorCode } from "../errors.ts";

/** An error as plain data: classes do not cross between threads. */
export interface CrossingError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Of a `PipelineError`. */
  readonly code?: PipelineErrorCode | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: CrossingError | undefined;
  /** What was thrown, where it was no error. */
  readonly value?: unknown;
}

const CLASSES = { TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError };
const MAX_DEPTH = 16;

export function toCrossing(error: unknown, depth = 0): CrossingError {
  if (!(error instanceof Error)) return { name: "", message: String(error), value: plain(error) };
  const { name, message, stack, cause } = error;
  const inner = cause === undefined || depth === MAX_DEPTH ? undefined : toCrossing(cause, depth + 1);
  if (!(error instanceof PipelineError)) return { name, message, stack, cause: inner };
  const facts = Object.fromEntries(Object.entries(error.facts).map(([fact, value]) => [fact, plain(value)]));
  return { name, message, stack, code: error.code, facts, cause: inner };
}

export function fromCrossing({ name, message, stack, code, facts, cause: inner, value }: CrossingError): unknown {
  if (name === "") return value;
  const cause = inner && fromCrossing(inner);
  const error =
    code === undefined ? otherError(name, message, cause) : new PipelineError(code, message, { ...facts, cause });
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
  return error;
}

function otherError(name: string, message: string, cause: unknown): Error {
  const options = cause === undefined ? undefined : { cause };
  if (Object.hasOwn(CLASSES, name)) return new CLASSES[name as keyof typeof CLASSES](message, options);
  const error = name === "AbortError" ? new DOMException(message, name) : new Error(message, options);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true });
  return error;
}

/** What of a value can cross. */
function plain(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
}
