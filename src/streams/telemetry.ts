import { PipelineError } from "../errors.ts";
import type { FaultScope } from "./faults.ts";
import type { RunProgress } from "./progress.ts";

/** What is told about a run while it goes on. */
export interface Telemetry {
  /** A shard is opened; call the function when it is closed. */
  shard(url: string): () => void;
  /** Samples and bytes that were read since the last time. */
  read(samples: number, bytes: number): void;
  /** An error that did not end the run. */
  fault(error: PipelineError, scope: FaultScope): void;
  warning(text: string): void;
  end(progress: RunProgress, failure: { readonly error: unknown } | undefined): void;
}

/**
 * Spans and counters for OpenTelemetry, and logs for LogTape.
 *
 * @throws {PipelineError} `NOT_INSTALLED`
 */
export async function openTelemetry(plan: string): Promise<Telemetry> {
  const [{ openSpans }, { openLogs }] = await Promise.all([
    installed("@opentelemetry/api", () => import("./telemetry-spans.ts")),
    installed("@logtape/logtape", () => import("./telemetry-logs.ts")),
  ]);
  const both = [openSpans(plan), openLogs(plan)];
  return {
    shard(url) {
      const closed = both.map((one) => one.shard(url));
      return () => {
        for (const close of closed) close();
      };
    },
    read: (samples, bytes) => both.forEach((one) => void one.read(samples, bytes)),
    fault: (error, scope) => both.forEach((one) => void one.fault(error, scope)),
    warning: (text) => both.forEach((one) => void one.warning(text)),
    end: (progress, failure) => both.forEach((one) => void one.end(progress, failure)),
  };
}

async function installed<M>(name: string, load: () => Promise<M>): Promise<M> {
  try {
    return await load();
  } catch (cause) {
    throw new PipelineError("NOT_INSTALLED", `Cannot report telemetry: the package "${name}" is not installed`, {
      hint: "npm install @opentelemetry/api @logtape/logtape, or leave { telemetry: true } out",
      cause,
    });
  }
}
