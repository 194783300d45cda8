import type { RawSample } from "../codec/raw-sample.ts";
import { type Chunk, type RecordChunk, rowChunk } from "../streams/chunk.ts";
import type { Faults } from "../streams/faults.ts";
import { SourceTrace } from "../streams/source-trace.ts";
import { traceFrom } from "../streams/trace-of.ts";
import type { SampleKeys } from "./keys.ts";
import type { Records } from "./shard-reader.ts";

/** Where the samples of a read come from. */
export interface ReadOrigin {
  readonly shard: string;
  /** Place in the shard of the first one. */
  readonly first: number;
  readonly keys: SampleKeys;
}

/** The trace of samples read one after another from a shard. */
function shardTrace(position: number, { shard, first, keys }: ReadOrigin): SourceTrace {
  return new SourceTrace(position, (row) => ({ shard, index: first + row, key: keys.at(row), part: 0 }));
}

/** What was read from a shard, as a chunk: nothing is copied. */
export function recordChunk(records: Records, position: number, origin: ReadOrigin): RecordChunk {
  const { bytes, view, starts, ends, faults, length } = records;
  return {
    kind: "records",
    length,
    trace: shardTrace(position, origin),
    records: { windows: [{ bytes, view }], starts, ends, faults },
  };
}

/** Raw samples from a read of a shard in "files" mode. Their bytes are copied, as they outlive the window. */
export function* rawChunks(records: Records, position: number, origin: ReadOrigin, faults: Faults): Generator<Chunk> {
  const trace = shardTrace(position, origin);
  let rows: RawSample[] = [];
  let first = 0;
  const ready = (to: number): Chunk => {
    const from = first;
    const chunk = rowChunk(rows, traceFrom(trace, from));
    [rows, first] = [[], to + 1];
    return chunk;
  };
  for (let row = 0; row < records.length; row++) {
    const fault = records.faults?.get(row);
    if (fault === undefined) {
      rows.push(rawSample(records, row, origin));
    } else {
      yield ready(row);
      faults.sample(fault, "read", trace, row);
    }
  }
  if (rows.length > 0) yield ready(records.length);
}

function rawSample({ bytes, parts }: Records, row: number, { shard, first, keys }: ReadOrigin): RawSample {
  const files = parts![row]!.map(({ extension, start, end }) => [extension, bytes.slice(start, end)] as const);
  return { key: keys.at(row), parts: new Map(files), origin: { shard, index: first + row } };
}
