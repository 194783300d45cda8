import { PipelineError, type PipelineErrorCode } from "../errors.ts";

/** What is wrong with a shard's bytes. Who reads the shard makes it an error that says which shard, and behind which sample. */
export class Damage extends Error {
  readonly code: PipelineErrorCode;
  readonly offset: number;
  readonly hint: string;

  constructor(code: PipelineErrorCode, what: string, offset: number, hint = "download or write it again") {
    super(what);
    this.code = code;
    this.offset = offset;
    this.hint = hint;
  }

  /** The error for users. `key` is that of the last good sample. */
  of(shard: string, key: string | undefined): PipelineError {
    const after = key === undefined ? "" : ` behind sample "${key}"`;
    const { code, message, offset, hint } = this;
    return new PipelineError(code, `Cannot read "${shard}"${after}: ${message}`, {
      url: shard,
      ...(key !== undefined && { key }),
      offset,
      hint,
    });
  }
}
