import { PipelineError } from "../../src/errors.ts";
import type { ByteReader } from "../../src/storage/byte-reader.ts";
import { ShardReader, type ShardReaderOptions } from "../../src/tar/shard-reader.ts";

/** What came out of a shard, in owned memory. */
export interface ReadSample {
  readonly key: string;
  readonly data: Uint8Array | undefined;
  readonly fault: PipelineError | undefined;
  readonly parts: Readonly<Record<string, Uint8Array>> | undefined;
}

export interface ReadResult {
  readonly samples: readonly ReadSample[];
  readonly keys: readonly string[];
  readonly error: PipelineError | undefined;
  readonly warnings: readonly string[];
}

/** Reads a shard to its end, `max` samples at a time, and keeps what came before an error. */
export async function readAll(
  bytes: ByteReader,
  options: Partial<ShardReaderOptions> = {},
  max = 3,
): Promise<ReadResult> {
  const reader = new ShardReader(bytes, { url: "shard.tar", ...options });
  const samples: ReadSample[] = [];
  let error: PipelineError | undefined;
  try {
    for (let records = await reader.read(max); records !== undefined; records = await reader.read(max)) {
      for (let i = 0; i < records.length; i++) {
        const [start, end] = [records.starts[i]!, records.ends[i]!];
        const parts = records.parts?.[i]?.map((part) => [part.extension, records.bytes.slice(part.start, part.end)]);
        samples.push({
          key: records.keys.at(i),
          data: start < 0 ? undefined : records.bytes.slice(start, end),
          fault: records.faults?.get(i),
          parts: parts && Object.fromEntries(parts),
        });
      }
    }
  } catch (caught) {
    if (!(caught instanceof PipelineError)) throw caught;
    error = caught;
    if ((await reader.read(max)) !== undefined) throw new Error("something came after the error");
  }
  await reader.close();
  return { samples, keys: samples.map(({ key }) => key), error, warnings: reader.warnings };
}

/** Bytes in memory, handed out in pieces of at most `piece` bytes. */
export function memoryReader(
  bytes: Uint8Array,
  { piece = Number.POSITIVE_INFINITY, size }: { piece?: number; size?: number } = {},
): ByteReader {
  let position = 0;
  return {
    ...(size !== undefined && { size }),
    async read(into) {
      const count = Math.min(into.length, piece, bytes.length - position);
      into.set(bytes.subarray(position, position + count));
      position += count;
      return count;
    },
    async close() {},
  };
}
