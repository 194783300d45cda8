import { type Dataset, PipelineError, type PipelineErrorCode } from "../index.ts";
import type { Session } from "./program.ts";
import { hintFor, paragraph, type Terminal } from "./terminal.ts";

/** Something that is wrong with a dataset. */
export interface Problem {
  readonly shard: string;
  /** The sample it is about, or the last good one before it. */
  readonly key?: string;
  readonly code: PipelineErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/** What a pass over one shard found. */
export interface ShardReport {
  readonly shard: string;
  /** Samples that came through. */
  readonly samples: number;
  readonly problems: readonly Problem[];
  /** Problems beyond those listed. */
  readonly moreProblems: number;
  readonly warnings: readonly string[];
}

/** Goes through the shards of a dataset, one after another, and on behind whatever is wrong. `look` is given each sample. */
export async function* passShards<T>(
  dataset: Dataset<T>,
  { terminal, signal }: Session,
  look: (sample: T) => void = () => {},
): AsyncGenerator<ShardReport> {
  const shards = await dataset.listShards();
  let total = 0;
  let passed = 0;
  for await (const one of dataset.shards) {
    const shard = shards[passed]!;
    // Leaving the loop early closes the run.
    const run = one.run({ signal, onError: "skip" });
    let stopped: PipelineError | undefined;
    try {
      for await (const sample of run) {
        look(sample);
        total++;
        terminal.progress(() => `${counted(total, "sample")}, shard ${passed + 1} of ${shards.length}`);
      }
    } catch (error) {
      // Too many samples failed one after another. The next shard may be better.
      if (!(error instanceof PipelineError)) throw error;
      stopped = error;
    }
    passed++;
    const { items, errors, skippedSamples, skippedShards, warnings } = run.summary;
    // Its hint says that the rest was not looked at.
    const listed =
      stopped === undefined ? errors : [...errors.filter(({ message }) => message !== stopped.message), stopped];
    const problems = listed.map((error) => problemOf(error, shard));
    const moreProblems = Math.max(0, skippedSamples + skippedShards - problems.length);
    yield { shard, samples: items, problems, moreProblems, warnings };
  }
  terminal.clearProgress();
}

/** Lists what is wrong with a shard. */
export async function printProblems(
  { problems, moreProblems, warnings }: ShardReport,
  terminal: Terminal,
): Promise<void> {
  for (const { code, message, hint } of problems) await terminal.printText(`${code}: ${paragraph(message, hint)}`);
  if (moreProblems > 0) await terminal.print(`... and ${counted(moreProblems, "problem")} more like these`);
  for (const warning of warnings) await terminal.printText(`warning: ${warning}`);
}

/** A number with its noun. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function problemOf(error: PipelineError, shard: string): Problem {
  const { code, message, facts } = error;
  const hint = hintFor(error);
  return {
    shard,
    ...(facts.key !== undefined && { key: facts.key }),
    code,
    message,
    ...(hint !== undefined && { hint }),
  };
}
