import { PipelineError } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { DictSample } from "./dict-sample.ts";
import type { RawSample } from "./raw-sample.ts";
import { SampleReader, type SampleReaderOptions } from "./reader.ts";

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
