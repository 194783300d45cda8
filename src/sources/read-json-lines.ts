import { sampleFromCanonical } from "../codec/from-canonical.ts";
import { parseJson } from "../codec/json.ts";
import { PipelineError } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { sizeOf } from "../schema/size-of.ts";
import { shownAddress } from "../storage/address.ts";
import { type ByteReader, countedBytes } from "../storage/byte-reader.ts";
import { decompress } from "../storage/compression/decompress.ts";
import { openBytes } from "../storage/open.ts";
import { CHUNK_BYTES, type Chunk, rowChunk } from "../streams/chunk.ts";
import { ShareCursor } from "../streams/share.ts";
import type { Source, SourceRequest } from "../streams/source.ts";
import { SourceTrace } from "../streams/source-trace.ts";
import { LINE } from "./json-lines.ts";

const CHUNK_ROWS = 256;
/** A line longer than this is taken for a file that has no lines. */
const MAX_LINE_BYTES = 256 << 20;

/** Reads the lines of files, checked against a type where there is one. */
export async function* readJsonLines(
  source: Source,
  shards: readonly string[],
  type: AnySampleType | undefined,
  { from, share, faults, signal, meter, budget }: SourceRequest,
): AsyncGenerator<Chunk> {
  const mine = new ShareCursor(share, from);
  const holder = budget?.chunkHolder("read", source);
  let position = 0;
  for (const url of shards) {
    const shard = shownAddress(url);
    // A name that a sample can have in a shard, and that lines of other files do not.
    const stem = shard
      .replace(/^.*[\\/]/, "")
      .replace(/\.(jsonl|ndjson|json)(\.\w+)?$/i, "")
      .replaceAll(".", "-");
    const keyOf = (index: number): string => `${stem}-${String(index).padStart(9, "0")}`;
    let rows: unknown[] = [];
    let first = 0;
    let bytes = 0;
    const ready = (line: number): Chunk => {
      const index = first;
      const trace = new SourceTrace(position - rows.length, (row) => ({
        shard,
        index: index + row,
        key: String(index + row),
        part: 0,
      }));
      const chunk = rowChunk(rows, trace);
      if (meter !== undefined) meter.samples += rows.length;
      [rows, first, bytes] = [[], line, 0];
      return chunk;
    };
    let line = 0;
    let file: ByteReader | undefined;
    try {
      file = await decompress(countedBytes(await openBytes(url, { signal }), meter));
      for await (const text of linesOf(file, shard)) {
        if (!mine.has(position)) {
          if (rows.length > 0) yield ready(line);
          position++;
          first = ++line;
          continue;
        }
        try {
          const sample = parseLine(type, text, shard, line);
          rows.push(sample);
          if (holder !== undefined) {
            bytes += sizeOf(sample);
            holder.hold(bytes, rows.length);
          }
          faults.succeeded();
        } catch (error) {
          if (rows.length > 0) yield ready(line);
          const trace = new SourceTrace(
            position,
            () => ({ shard, index: line, key: keyOf(line), part: 0 }),
            () => ({ bytes: new TextEncoder().encode(text), extension: LINE }),
          );
          faults.sample(error, "read", trace, 0);
          position++;
          first = ++line;
          continue;
        }
        position++;
        line++;
        if (rows.length === CHUNK_ROWS || bytes >= CHUNK_BYTES) yield ready(line);
      }
    } catch (error) {
      if (rows.length > 0) yield ready(line);
      if (error instanceof PipelineError && error.facts.index !== undefined) throw error;
      faults.shard(error, shard, line);
    } finally {
      await file?.close();
    }
    if (rows.length > 0) yield ready(line);
  }
}

export function parseLine(type: AnySampleType | undefined, text: string, shard: string, line: number): unknown {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new PipelineError("SAMPLE_CORRUPT", `Cannot read sample ${line} of "${shard}": ${(cause as Error).message}`, {
      cause,
      hint: "each line that is not empty must be one JSON value",
    });
  }
  return type === undefined ? value : sampleFromCanonical(type, value);
}

/** The lines of a text that are not empty. */
export async function* linesOf(bytes: ByteReader, shard: string): AsyncGenerator<string> {
  const window = new Uint8Array(1 << 18);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for (;;) {
    const count = await bytes.read(window);
    let text: string;
    try {
      text = decoder.decode(window.subarray(0, count), { stream: count > 0 });
    } catch (cause) {
      throw new PipelineError("SHARD_CORRUPT", `Cannot read "${shard}": it is not UTF-8 text`, { url: shard, cause });
    }
    // Joined once a line is whole: one long line costs no more than many short ones.
    const lines = text.split("\n");
    lines[0] = rest + lines[0]!;
    rest = count > 0 ? lines.pop()! : "";
    for (const line of lines) if (line.trim() !== "") yield line;
    if (count === 0) return;
    if (rest.length > MAX_LINE_BYTES) {
      throw new PipelineError(
        "SHARD_CORRUPT",
        `Cannot read "${shard}": a line is longer than ${MAX_LINE_BYTES} bytes`,
        { url: shard },
      );
    }
  }
}
