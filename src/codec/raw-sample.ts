import { PipelineError } from "../errors.ts";
import { setField } from "../schema/columns.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { DictSample } from "./dict-sample.ts";
import { decodePart } from "./parts.ts";
import { SampleReader, type SampleReaderOptions } from "./reader.ts";

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

/** Makes a sample of a raw one: from its msgpack file, of a type or untyped. */
export function rawDecoder<T>(
  type: AnySampleType | undefined,
  options: SampleReaderOptions = {},
): (raw: RawSample) => T {
  const reader = type === undefined ? undefined : new SampleReader<T>(type as never, options);
  return (raw) => {
    const bytes = raw.parts.get("msgpack");
    if (bytes === undefined) throw noMsgpack(raw);
    return reader === undefined ? (new DictSample(bytes) as T) : reader.read(bytes);
  };
}

function noMsgpack({ key, parts }: RawSample): PipelineError {
  const files = Array.from(parts.keys(), (extension) => `.${extension}`).join(", ");
  return new PipelineError("SAMPLE_CORRUPT", `Cannot read sample "${key}": it has no .msgpack file, only ${files}`, {
    hint: 'read the shard with { members: "files" }, or decode its files with decodeParts',
  });
}
