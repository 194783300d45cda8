import { DictSample } from "../codec/dict-sample.ts";
import { type Chunk, type RecordChunk, rowChunk } from "../streams/chunk.ts";
import type { Stage } from "../streams/operator.ts";
import type { DecodeRequest } from "../streams/source.ts";
import { PickedTrace } from "../streams/trace-of.ts";

/** Makes untyped samples of encoded ones: each is a view over bytes of its own. */
export function dictSampleStage(request: DecodeRequest): Stage {
  return async function* (chunks) {
    for await (const chunk of chunks) yield* decodeUntyped(chunk as RecordChunk, request);
  };
}

function* decodeUntyped({ records, trace, length }: RecordChunk, { faults }: DecodeRequest): Generator<Chunk> {
  const { windows, windowOf, starts, ends } = records;
  let rows: DictSample[] = [];
  let from: number[] = [];
  for (let row = 0; row < length; row++) {
    try {
      const fault = records.faults?.get(row);
      if (fault !== undefined) throw fault;
      const { bytes } = windows[windowOf?.[row] ?? 0]!;
      rows.push(new DictSample(bytes.slice(starts[row], ends[row])));
      from.push(row);
      faults.succeeded();
    } catch (error) {
      if (rows.length > 0) yield rowChunk(rows, new PickedTrace(trace, Int32Array.from(from)));
      [rows, from] = [[], []];
      faults.sample(error, "decode", trace, row);
    }
  }
  if (rows.length > 0) yield rowChunk(rows, new PickedTrace(trace, Int32Array.from(from)));
}
