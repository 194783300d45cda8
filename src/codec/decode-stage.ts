import type { Columns } from "../schema/columns.ts";
import type { AnySampleType } from "../schema/sample.ts";
import {
  type Chunk,
  type ColumnChunk,
  type RecordChunk,
  type Records,
  rowChunk,
  sizeOfRecords,
} from "../streams/chunk.ts";
import { JoinedTrace } from "../streams/joined-trace.ts";
import type { Stage } from "../streams/operator.ts";
import type { DecodeRequest } from "../streams/source.ts";
import { traceFrom } from "../streams/trace-of.ts";
import { UntilFailure } from "../streams/until-failure.ts";
import { SampleReader, type SampleReaderOptions } from "./reader.ts";

/** Makes samples of encoded ones: as objects, or straight into columns. */
export function decodeStage(
  type: AnySampleType,
  options: Pick<SampleReaderOptions, "unknownFields">,
  request: DecodeRequest,
): Stage {
  const reader = new SampleReader<unknown>(type, { ...options, fields: request.fields });
  const { layout, batch } = request;
  if (layout === "rows") return (chunks) => decodeRows(reader, chunks, request);
  if (batch === undefined) return (chunks) => decodeColumns(reader, chunks, request);
  return (chunks) => decodeBatches(reader, chunks, batch, request);
}

/** A chunk of columns for each chunk of records. */
async function* decodeColumns(
  reader: SampleReader,
  chunks: AsyncIterable<Chunk>,
  request: DecodeRequest,
): AsyncGenerator<ColumnChunk> {
  let columns: Columns | undefined;
  const hold = chunkHolder(request);
  for await (const chunk of chunks) {
    hold(chunk);
    // The consumer copies what it keeps, so one set of columns does; but not one made for many more rows, which may be smaller.
    const fits = columns !== undefined && columns.capacity >= chunk.length && columns.capacity <= 4 * usualRows(chunk);
    columns = fits ? columns!.reset() : reader.makeColumns(usualRows(chunk));
    const rows = new Filling(columns);
    const failure = failureOf(() => rows.add(reader, chunk as RecordChunk, 0, request));
    if (rows.columns.length > 0) yield rows.chunk;
    if (failure !== undefined) throw failure.error;
  }
}

/** Tells the budget what is decoded at once. */
function chunkHolder({ budget }: DecodeRequest): (chunk: Chunk) => void {
  if (budget === undefined) return () => {};
  const holder = budget.chunkHolder("decode");
  return (chunk) => {
    const bytes = sizeOfRecords((chunk as RecordChunk).records, 0, chunk.length);
    holder.hold(bytes, chunk.length);
    budget.gaveAway(bytes);
  };
}

/** Rows that a chunk of such samples has: many small ones, or a few large ones. */
function usualRows(chunk: Chunk): number {
  const large = sizeOfRecords((chunk as RecordChunk).records, 0, chunk.length) > 4096 * chunk.length;
  return large ? chunk.length : Math.max(256, chunk.length);
}

/** Chunks of exactly `size` rows, but for the last: the columns of a batch each. */
async function* decodeBatches(
  reader: SampleReader,
  chunks: AsyncIterable<Chunk>,
  batch: NonNullable<DecodeRequest["batch"]>,
  request: DecodeRequest,
): AsyncGenerator<ColumnChunk> {
  const { size, recycle } = batch;
  const holder = request.budget?.holder("batch", recycle ? 2 * size : size, batch);
  const free: Columns[] = [];
  let filling: Filling | undefined;
  const full = ({ columns, chunk }: Filling): ColumnChunk => ({
    ...chunk,
    whole: true,
    release: recycle ? () => void free.push(columns) : undefined,
  });
  const input = new UntilFailure(chunks);
  for await (const chunk of input) {
    // A batch goes over the end of a chunk.
    chunk.trace.keep();
    for (let from = 0; from < chunk.length; ) {
      filling ??= new Filling(free.pop()?.reset() ?? reader.makeColumns(size));
      const into: Filling = filling;
      const first = from;
      const failure = failureOf(() => {
        from = into.add(reader, chunk as RecordChunk, from, request);
      });
      if (holder !== undefined) {
        const bytes = sizeOfRecords((chunk as RecordChunk).records, first, from);
        into.bytes += bytes;
        if (!recycle) request.budget!.gaveAway(bytes);
        // What is used again is held by the consumer too.
        holder.hold(recycle ? 2 * into.bytes : into.bytes, recycle ? 2 * into.columns.length : into.columns.length);
      }
      if (into.columns.length === size || (failure !== undefined && into.columns.length > 0)) {
        yield full(into);
        filling = undefined;
      }
      if (failure !== undefined) throw failure.error;
    }
  }
  if (filling !== undefined && filling.columns.length > 0) yield full(filling);
  input.rethrow();
}

/** What goes wrong, for later: the rows before it go out first. */
function failureOf(work: () => void): { readonly error: unknown } | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Columns on the way to be full, and where their rows come from. */
class Filling {
  readonly columns: Columns;
  /** Encoded. */
  bytes = 0;
  readonly #trace = new JoinedTrace();

  constructor(columns: Columns) {
    this.columns = columns;
  }

  /** Decodes rows from `from` on until the columns are full, or the chunk is at its end; where it stopped. */
  add(reader: SampleReader, { records, trace, length }: RecordChunk, from: number, { faults }: DecodeRequest): number {
    const { columns } = this;
    while (from < length && columns.length < columns.capacity) {
      const before = columns.length;
      const to = Math.min(endOfRun(records, from, length), from + columns.capacity - before);
      const failure = failureOf(() => {
        throwFault(records, from);
        reader.readColumns(windowOf(records, from), records.starts, records.ends, from, to, columns);
      });
      const done = columns.length - before;
      this.#trace.add(trace, from, done);
      from += done;
      if (done > 0) faults.succeeded();
      if (failure !== undefined) faults.sample(failure.error, "decode", trace, from++);
    }
    return from;
  }

  get chunk(): ColumnChunk {
    return { kind: "columns", length: this.columns.length, trace: this.#trace, columns: this.columns };
  }
}

async function* decodeRows(
  reader: SampleReader,
  chunks: AsyncIterable<Chunk>,
  request: DecodeRequest,
): AsyncGenerator<Chunk> {
  const { faults } = request;
  const hold = chunkHolder(request);
  for await (const chunk of chunks) {
    hold(chunk);
    const { records, trace, length } = chunk as RecordChunk;
    for (let from = 0; from < length; ) {
      const rows: unknown[] = [];
      const failure = failureOf(() => {
        for (let next = from; next < length; next = from + rows.length) {
          throwFault(records, next);
          const end = endOfRun(records, next, length);
          reader.readRows(windowOf(records, next), records.starts, records.ends, next, end, rows);
        }
      });
      const done = rows.length;
      if (done > 0) yield rowChunk(rows, traceFrom(trace, from));
      from += done;
      if (done > 0) faults.succeeded();
      if (failure !== undefined) faults.sample(failure.error, "decode", trace, from++);
    }
  }
}

const windowOf = ({ windows, windowOf }: Records, row: number) => windows[windowOf?.[row] ?? 0]!;

function throwFault({ faults }: Records, row: number): void {
  const fault = faults?.get(row);
  if (fault !== undefined) throw fault;
}

/** Rows that can be decoded in one go: they lie in one window, and none is at fault. */
function endOfRun({ windowOf, faults }: Records, from: number, length: number): number {
  if (windowOf === undefined && (faults === undefined || faults.size === 0)) return length;
  let to = from + 1;
  while (to < length && windowOf?.[to] === windowOf?.[from] && faults?.has(to) !== true) to++;
  return to;
}
