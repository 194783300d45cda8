import { parseQuarantineLine, partsOfLine, type QuarantineLine, valueOfLine } from "../codec/quarantine-line.ts";
import { PipelineError } from "../errors.ts";
import { shownAddress } from "../storage/address.ts";
import { openBytes } from "../storage/open.ts";
import { type Chunk, rowChunk, slice } from "../streams/chunk.ts";
import type { FailedPart } from "../streams/replay.ts";
import { wholeShare } from "../streams/share.ts";
import type { Source, SourceRequest } from "../streams/source.ts";
import { SourceTrace } from "../streams/source-trace.ts";
import { linesOf } from "./read-json-lines.ts";

/** A pass over the lines of a quarantine. */
export class ReadQuarantine {
  readonly #path: string;
  readonly #of: Source;
  readonly #onFailed: (position: number, failed: FailedPart) => void;

  constructor(path: string, of: Source, onFailed: (position: number, failed: FailedPart) => void) {
    this.#path = path;
    this.#of = of;
    this.#onFailed = onFailed;
  }

  async *chunks(request: SourceRequest): AsyncGenerator<Chunk> {
    let position = 0;
    for await (const line of this.#lines(request)) {
      for await (const chunk of this.#again(line, position, request)) {
        const from = Math.max(0, request.from - position);
        position += chunk.length;
        if (from < chunk.length) yield slice(chunk, from, chunk.length);
      }
    }
  }

  async *#lines({ faults, signal }: SourceRequest): AsyncGenerator<QuarantineLine> {
    const seen = new Set<string>();
    const file = await openBytes(this.#path, { signal });
    try {
      for await (const text of linesOf(file, this.#path)) {
        const line = parseQuarantineLine(text);
        if (line === undefined) {
          faults.warn(`${this.#path}: a line that is no line of a quarantine is left out`);
          continue;
        }
        const { scope, shard, index, part, stage, at, source } = line;
        const id = JSON.stringify([scope, shard, index, part, stage, at, source]);
        // A run that was resumed has met with it again.
        if (seen.has(id)) continue;
        seen.add(id);
        yield line;
      }
    } finally {
      await file.close();
    }
  }

  /** What a line stands for, numbered from `position` on. */
  async *#again(line: QuarantineLine, position: number, request: SourceRequest): AsyncGenerator<Chunk> {
    const { scope, shard = "", index = 0, key = String(index), part = 0, at = 0, given = 0 } = line;
    if (scope === "source") {
      request.faults.warn(`${this.#path}: the rest of "${line.source}" is not read again: resume the run for that`);
      return;
    }
    if (scope === "shard") {
      yield* this.#fromShard(shard, index, position, request);
      return;
    }
    this.#onFailed(position, { at, part, given });
    const parts = partsOfLine(line);
    const origin = { shard, index, key, part: 0 };
    const trace = new SourceTrace(position, () => origin);
    try {
      if (parts !== undefined && this.#of.restore !== undefined) {
        yield await this.#of.restore({ key, parts, origin }, trace);
        return;
      }
      if ("value" in line) {
        yield rowChunk([valueOfLine(line, this.#of.type)], trace);
        return;
      }
      if (shard === "") throw lost(key, this.#path);
    } catch (error) {
      request.faults.sample(error, "read", trace, 0);
      return;
    }
    // Its bytes were not to be had then.
    for await (const chunk of this.#fromShard(shard, index, position, request)) {
      yield slice(chunk, 0, 1);
      return;
    }
  }

  async *#fromShard(shard: string, index: number, position: number, request: SourceRequest): AsyncGenerator<Chunk> {
    // Addresses in origins are without their secrets.
    const urls = (await this.#of.listShards?.().catch(() => [])) ?? [];
    const url = urls.find((one) => shownAddress(one) === shard) ?? shard;
    const source = this.#of.only?.([url]);
    if (source === undefined) {
      request.faults.warn(
        `${this.#path}: "${shard}" is not read again from sample ${index} on: replay without slice or sample`,
      );
      return;
    }
    const read = source.read({ ...request, from: index, share: wholeShare, interleave: undefined });
    for await (const chunk of read) {
      const { trace, length } = chunk;
      yield { ...chunk, trace: new SourceTrace(position, (row) => trace.origin(row)) };
      position += length;
    }
  }
}

function lost(key: string, path: string): PipelineError {
  return new PipelineError("SAMPLE_CORRUPT", `Cannot run sample "${key}" of "${path}" again: its value was not kept`, {
    key,
    url: path,
    hint: "JSON has no form for it: make the samples of plain values, arrays and bytes",
  });
}
