import type { PipelineError } from "../errors.ts";
import type { Columns } from "../schema/columns.ts";
import type { Trace } from "./trace.ts";
import { PickedTrace, traceFrom } from "./trace-of.ts";

/** Bytes of a chunk that whoever makes one aims at: what is decoded or computed together is in memory together. */
export const CHUNK_BYTES: number = 1 << 20;

/** Memory that encoded samples lie in. */
export interface Window {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
}

/** Encoded samples: row `i` lies at `starts[i]..ends[i]` of its window. */
export interface Records {
  readonly windows: readonly Window[];
  /** The window of each row. Absent: all lie in the first. */
  readonly windowOf?: Int32Array | undefined;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Rows that are no sample at all, and why. */
  readonly faults?: ReadonlyMap<number, PipelineError> | undefined;
}

/**
 * What crosses from stage to stage at a time: some rows, as objects, as columns, or still encoded. Its size is the engine's
 * affair and never changes a result. Valid until the next one is asked for, but for `rows`, which belong to whom they are given.
 */
export type Chunk = RowChunk | ColumnChunk | RecordChunk;

interface ChunkBase {
  readonly length: number;
  readonly trace: Trace;
}
/** Rows as values. */
export interface RowChunk extends ChunkBase {
  readonly kind: "rows";
  readonly rows: readonly unknown[];
}
/** Rows as columns; `picked` names the rows that count, in order. Absent: the first `length`. */
export interface ColumnChunk extends ChunkBase {
  readonly kind: "columns";
  readonly columns: Columns;
  readonly picked?: Int32Array | undefined;
  /** The columns were made for a batch, and are nobody else's. */
  readonly whole?: boolean;
  /** Gives the columns back to whoever filled them. */
  readonly release?: (() => void) | undefined;
}
/** Rows not decoded yet. */
export interface RecordChunk extends ChunkBase {
  readonly kind: "records";
  readonly records: Records;
}

/** Bytes of encoded rows `from` to `to`. */
export function sizeOfRecords({ starts, ends }: Records, from: number, to: number): number {
  let bytes = 0;
  for (let row = from; row < to; row++) if (starts[row]! >= 0) bytes += ends[row]! - starts[row]!;
  return bytes;
}

export function rowChunk(rows: readonly unknown[], trace: Trace): RowChunk {
  return { kind: "rows", length: rows.length, rows, trace };
}

/** One encoded sample. */
export function recordOf(encoded: Uint8Array, trace: Trace): RecordChunk {
  const bytes = encoded as Uint8Array<ArrayBuffer>; // read from a file, into memory of its own
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [starts, ends] = [Int32Array.of(0), Int32Array.of(bytes.length)];
  return { kind: "records", length: 1, trace, records: { windows: [{ bytes, view }], starts, ends } };
}

/** The rows of a chunk as values. */
export function rowsOf(chunk: Chunk): readonly unknown[] {
  switch (chunk.kind) {
    case "rows":
      return chunk.rows;
    case "columns": {
      const { columns, picked, length } = chunk;
      return Array.from({ length }, (_, i) => columns.row(picked === undefined ? i : picked[i]!));
    }
    case "records":
      throw new TypeError("Cannot give the rows of a chunk that is not decoded");
  }
}

/** The given rows of a chunk, in the given order. */
export function pick(chunk: Chunk, rows: Int32Array): Chunk {
  const { length } = rows;
  const trace = new PickedTrace(chunk.trace, rows);
  switch (chunk.kind) {
    case "rows":
      return rowChunk(
        Array.from(rows, (row) => chunk.rows[row]),
        trace,
      );
    case "columns":
      return pickColumns(chunk, rows);
    case "records":
      return { kind: "records", length, trace, records: pickRecords(chunk.records, rows) };
  }
}

export function pickColumns(chunk: ColumnChunk, rows: Int32Array): ColumnChunk {
  const picked = chunk.picked === undefined ? rows : rows.map((row) => chunk.picked![row]!);
  return { ...chunk, length: rows.length, trace: new PickedTrace(chunk.trace, rows), picked };
}

/** Rows `from` to `to` of a chunk. */
export function slice(chunk: Chunk, from: number, to: number): Chunk {
  if (from === 0 && to === chunk.length) return chunk;
  if (chunk.kind === "rows") return rowChunk(chunk.rows.slice(from, to), traceFrom(chunk.trace, from));
  const rows = new Int32Array(to - from);
  for (let i = 0; i < rows.length; i++) rows[i] = from + i;
  return pick(chunk, rows);
}

function pickRecords(records: Records, rows: Int32Array): Records {
  let faults: Map<number, PipelineError> | undefined;
  if (records.faults !== undefined) {
    faults = new Map();
    for (let i = 0; i < rows.length; i++) {
      const fault = records.faults.get(rows[i]!);
      if (fault !== undefined) faults.set(i, fault);
    }
  }
  return {
    windows: records.windows,
    windowOf: records.windowOf === undefined ? undefined : rows.map((row) => records.windowOf![row]!),
    starts: rows.map((row) => records.starts[row]!),
    ends: rows.map((row) => records.ends[row]!),
    faults,
  };
}
