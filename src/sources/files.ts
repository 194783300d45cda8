import { decodeParts, type RawSample } from "../codec/raw-sample.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { rowChunk, rowsOf } from "../streams/chunk.ts";
import type { Stage } from "../streams/operator.ts";
import type { DecodeRequest } from "../streams/source.ts";
import { PickedTrace } from "../streams/trace-of.ts";

/** Makes samples of raw ones, each file decoded by its extension, and checks them against a type where there is one. */
export function filesStage(type: AnySampleType | undefined, { faults }: DecodeRequest): Stage {
  return async function* (chunks) {
    for await (const chunk of chunks) {
      const raw = rowsOf(chunk) as readonly RawSample[];
      let rows: unknown[] = [];
      let from: number[] = [];
      for (let row = 0; row < raw.length; row++) {
        try {
          const sample = await decodeParts(raw[row]!);
          rows.push(type === undefined ? sample : type.parse(sample));
          from.push(row);
          faults.succeeded();
        } catch (error) {
          if (rows.length > 0) yield rowChunk(rows, new PickedTrace(chunk.trace, Int32Array.from(from)));
          [rows, from] = [[], []];
          faults.sample(error, "decode", chunk.trace, row);
        }
      }
      if (rows.length > 0) yield rowChunk(rows, new PickedTrace(chunk.trace, Int32Array.from(from)));
    }
  };
}
