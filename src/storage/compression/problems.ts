import { PipelineError } from "../../errors.ts";

/**
 * Loads a package that is needed for one compression only.
 *
 * @throws {PipelineError} `NOT_INSTALLED`
 */
export async function loadDecoder<T>(kind: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const hint = `npm install ${name}`;
    throw new PipelineError("NOT_INSTALLED", `Cannot decompress ${kind}: the package "${name}" is not installed`, {
      hint,
      cause,
    });
  }
}

/** A compressed stream that does not decode. */
export function corrupt(kind: string, what: string, cause?: unknown): PipelineError {
  const facts = { hint: "download or write it again", ...(cause !== undefined && { cause }) };
  return new PipelineError("SHARD_CORRUPT", `Cannot decompress ${kind}: ${what}`, facts);
}

/** A compressed stream that is not all there. */
export function cut(kind: string): PipelineError {
  const hint = "download or write it again";
  return new PipelineError("SHARD_TRUNCATED", `Cannot decompress ${kind}: it ends inside its data`, { hint });
}
