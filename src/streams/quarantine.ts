import type { PipelineError } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import type { Input } from "./trace.ts";

/** Something that went wrong, and what it spoiled. */
export type QuarantinedFault =
  | {
      readonly scope: "sample";
      readonly error: PipelineError;
      /** Name of the stage, and its place in the plan, from 0. */
      readonly stage: string;
      readonly at: number;
      readonly input: Input;
      /** Outputs of it that were handed on before the stage failed. */
      readonly given: number;
    }
  | {
      readonly scope: "shard";
      readonly error: PipelineError;
      readonly shard: string;
      /** Place of the first sample that was not read. */
      readonly index: number;
    }
  | { readonly scope: "source"; readonly error: PipelineError; readonly source: string };

/** Keeps what went wrong in a run, to run it again when it is mended: an error policy. Made by `quarantine(path)`. */
export interface Quarantine {
  open(type: AnySampleType | undefined): Promise<OpenQuarantine>;
}

/** A quarantine at work in one run. */
export interface OpenQuarantine {
  put(fault: QuarantinedFault): void;
  /** Writes what was put, so that it survives the process. */
  flush(): void;
  close(): void;
}
