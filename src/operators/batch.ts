import { misuse } from "../errors.ts";
import type { Columns } from "../schema/columns.ts";
import { Batch } from "../streams/batch.ts";
import type { Holder } from "../streams/budget.ts";
import { type Chunk, type ColumnChunk, rowChunk } from "../streams/chunk.ts";
import { HeldRows } from "../streams/held-rows.ts";
import { JoinedTrace } from "../streams/joined-trace.ts";
import { Operator, type StageContext } from "../streams/operator.ts";
import type { Trace } from "../streams/trace.ts";
import { BatchTrace } from "../streams/trace-of.ts";
import { UntilFailure } from "../streams/until-failure.ts";

export interface BatchOptions {
  /** Leave out the last batch when it is short. @default false */
  readonly dropLast?: boolean;
  /**
   * Use the memory of a batch again once the next one is asked for, or `release()` is called: two to three times as fast for
   * large arrays. What you keep of such a batch changes under your hands. @default false
   */
  readonly recycle?: boolean;
  /** What `column` does with arrays of different shapes: fail with `RAGGED`, or give them as a list. @default "error" */
  readonly ragged?: "error" | "list";
}

/** Room for a batch is made at once. */
const MOST = 1_000_000;

/**
 * Joins samples, in order, to batches of `size`; the last one may be short. Arrays `[...s]` stack to `[size, ...s]`.
 *
 * @throws {RangeError} If `size` is not a whole number from 1 to 1,000,000.
 * @example
 * ```ts
 * for await (const numbers of fromArray([{ n: 1 }, { n: 2 }]).batch(2)) numbers.column("n"); // Float64Array [1, 2]
 * ```
 */
export function batch<T>(size: number, options: BatchOptions = {}): Operator<T, Batch<T>> {
  if (!Number.isInteger(size) || size < 1 || size > MOST)
    throw misuse(new RangeError(`Cannot batch: size must be a whole number from 1 to ${MOST}, not ${size}`));
  const { dropLast = false, recycle = false, ragged = "error" } = options;
  if (ragged !== "error" && ragged !== "list") {
    throw misuse(new TypeError(`Cannot batch: ragged must be "error" or "list", not ${JSON.stringify(ragged)}`));
  }
  const spec = { size, recycle };
  return new Operator({
    name: "batch",
    role: "batch",
    works: "columns",
    options: { size, dropLast },
    // Which fields of a batch will be asked for is not known.
    batch: spec,
    typeOf: () => undefined,
    open: (context) => {
      // The decoder that fills batches for us holds what we would hold: it has the same account.
      const holder = context.budget?.holder("batch", recycle ? 2 * size : size, spec);
      return (chunks) => batches(chunks, size, { dropLast, recycle, ragged }, context, holder);
    },
  });
}

async function* batches(
  chunks: AsyncIterable<Chunk>,
  size: number,
  { dropLast, ragged, recycle }: Required<BatchOptions>,
  { type }: StageContext,
  holder: Holder | undefined,
): AsyncGenerator<Chunk> {
  const make = (held: Held): Chunk => {
    const { data, length, trace, release } = held.takeBatch();
    const made = new Batch(data, length, trace, { type, ragged, release });
    return rowChunk([made], new BatchTrace(trace, length));
  };
  let held: Held | undefined;
  const input = new UntilFailure(chunks);
  for await (const chunk of input) {
    if (
      chunk.kind === "columns" &&
      chunk.picked === undefined &&
      chunk.whole &&
      (held === undefined || held.length === 0)
    ) {
      // The decoder filled it for us.
      if (chunk.length === size || !dropLast) {
        const { columns, length, trace, release } = chunk;
        const made = new Batch({ columns }, length, trace, { type, ragged, release });
        yield rowChunk([made], new BatchTrace(trace, length));
      }
      continue;
    }
    held ??= chunk.kind === "columns" ? new ColumnBatch(size, recycle) : new RowBatch(holder !== undefined);
    for (let from = 0; from < chunk.length; ) {
      const to = Math.min(chunk.length, from + size - held.length);
      held.add(chunk, from, to);
      from = to;
      if (holder !== undefined) {
        // What is used again is held by the consumer too.
        const copies = recycle && chunk.kind === "columns" ? 2 : 1;
        holder.hold(copies * held.bytes, copies * held.length);
      }
      if (held.length === size) yield make(held);
    }
  }
  if (held !== undefined && held.length > 0 && !dropLast) yield make(held);
  input.rethrow();
}

interface HeldBatch {
  readonly data: { readonly columns: Columns } | { readonly rows: readonly unknown[] };
  readonly length: number;
  readonly trace: Trace;
  readonly release?: (() => void) | undefined;
}

/** The samples of a batch that is not full yet. */
interface Held {
  readonly length: number;
  /** About how much memory they take. */
  readonly bytes: number;
  add(chunk: Chunk, from: number, to: number): void;
  takeBatch(): HeldBatch;
}

class RowBatch extends HeldRows implements Held {
  takeBatch(): HeldBatch {
    const { rows, trace } = this.take();
    return { data: { rows }, length: rows.length, trace };
  }
}

class ColumnBatch implements Held {
  readonly #size: number;
  readonly #free: Columns[] = [];
  readonly #recycle: boolean;
  #columns: Columns | undefined;
  #trace = new JoinedTrace();

  constructor(size: number, recycle: boolean) {
    this.#size = size;
    this.#recycle = recycle;
  }

  get length(): number {
    return this.#columns?.length ?? 0;
  }
  get bytes(): number {
    return this.#columns?.sizeOf(0, this.length) ?? 0;
  }
  add(chunk: Chunk, from: number, to: number): void {
    const { columns, picked, trace } = chunk as ColumnChunk;
    trace.keep();
    this.#columns ??= this.#free.pop()?.reset() ?? columns.emptyCopy(this.#size);
    this.#columns.append(
      columns,
      picked?.subarray(from, to) ?? Int32Array.from({ length: to - from }, (_, i) => from + i),
    );
    this.#trace.add(trace, from, to - from);
  }
  takeBatch(): HeldBatch {
    const columns = this.#columns!;
    const release = this.#recycle ? () => void this.#free.push(columns) : undefined;
    const taken = { data: { columns }, length: columns.length, trace: this.#trace, release };
    [this.#columns, this.#trace] = [undefined, new JoinedTrace()];
    return taken;
  }
}
