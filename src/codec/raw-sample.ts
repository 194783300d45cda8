import { setField } from "../schema/columns.ts";
import { decodePart } from "./parts.ts";

/** Where a raw sample was found. */
export interface RawOrigin {
  /** Address of the shard; "" for a stream that nobody named. */
  readonly shard: string;
  readonly index: number;
}

/** A sample as a shard holds it: one file or several of one key, not decoded. */
export interface RawSample {
  readonly key: string;
  /** The bytes of each file by extension, in stored order: `{ jpg, cls }`, or `{ msgpack }` for samples of atdata's kind. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
  readonly origin: RawOrigin;
}

/**
 * The files of a sample, each decoded by its extension; see {@link decodePart}.
 *
 * @throws {PipelineError} `SAMPLE_CORRUPT` or `ARRAY_CORRUPT` if a file is not what its extension says.
 */
export async function decodeParts({ parts }: RawSample): Promise<Record<string, unknown>> {
  const sample: Record<string, unknown> = {};
  for (const [extension, bytes] of parts) setField(sample, extension, await decodePart(extension, bytes));
  return sample;
}
