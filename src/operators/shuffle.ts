import { misuse } from "../errors.ts";
import type { Holder } from "../streams/budget.ts";
import { CHUNK_BYTES, type Chunk, type RecordChunk, type RowChunk, rowChunk } from "../streams/chunk.ts";
import { HeldRecords, MOST_PICKED } from "../streams/held-records.ts";
import { HeldRows } from "../streams/held-rows.ts";
import { JoinedTrace } from "../streams/joined-trace.ts";
import { Operator, type StageContext } from "../streams/operator.ts";
import { blockOf, orderHash, reachOfBlock, type ShuffleOrder } from "../streams/order.ts";
import type { Trace } from "../streams/trace.ts";
import { BlockTrace, traceFrom } from "../streams/trace-of.ts";
import { UntilFailure } from "../streams/until-failure.ts";

export interface ShuffleOptions {
  /** The number that the order comes from: equal seeds give equal orders, everywhere. @default 0 */
  readonly seed?: number;
  /**
   * How many samples change places with one another: that many are held in memory. A whole number >= 1. @default all samples, which
   * are then read in their new order by the offset indexes of their shards
   */
  readonly window?: number;
  /**
   * Without a window: the bytes of samples held in memory, a whole number >= 1. Runs of 64 neighbouring samples are taken in a
   * seeded order, joined to blocks of so many bytes, and each block is shuffled. @default no blocks: each sample is read by itself
   */
  readonly blockBytes?: number;
}

/**
 * Mixes the samples, in an order that depends on the seed, the epoch and the data, and on nothing else. A filter, wherever it
 * stands, changes no other sample's place.
 *
 * With a `window`, shards are taken in a seeded order, up to 64 at a time in runs of 64 samples; then each block of `window` samples
 * is shuffled. Without one, all samples change places: that takes a source that can be read at any place, local shards or a list,
 * and no operator between that moves, counts or joins samples.
 *
 * @throws {RangeError} If `window` or `blockBytes` is not a whole number >= 1, or `seed` not a whole number >= 0.
 * @throws {TypeError} If there is a `window` and `blockBytes`, or, when it is joined to a plan, all samples cannot be shuffled there.
 * @example
 * ```ts
 * const numbers = fromArray([1, 2, 3, 4]).shuffle({ window: 4, seed: 7 });
 * await numbers.epoch(1).toArray(); // the same four in another order, the same one every time
 * ```
 */
export function shuffle<T>(options: ShuffleOptions): Operator<T, T> {
  const { seed = 0, window, blockBytes } = options ?? {};
  for (const [name, value] of Object.entries({ window, blockBytes })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw misuse(new RangeError(`Cannot shuffle: ${name} must be a whole number >= 1, not ${value}`));
    }
  }
  if (!Number.isSafeInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw misuse(new RangeError(`Cannot shuffle: seed must be a whole number from 0 to 2^32 - 1, not ${seed}`));
  }
  if (window === undefined) return shuffleAll({ seed, ...(blockBytes !== undefined && { blockBytes }) });
  if (blockBytes !== undefined) throw misuse(new TypeError("Cannot shuffle: pass a window or blockBytes, not both"));
  return new Operator({
    name: "shuffle",
    role: "shuffle",
    works: "records",
    options: { seed, window },
    shuffle: { seed, window },
    open: (context) => {
      const holder = context.budget?.holder("shuffle", context.order!.window);
      return (chunks) => shuffleChunks(chunks, context, holder);
    },
  });
}

/** The source reads in the new order: nothing is left to do. */
function shuffleAll<T>(permute: { readonly seed: number; readonly blockBytes?: number }): Operator<T, T> {
  return new Operator({
    name: "shuffle",
    works: "records",
    reads: [],
    options: permute,
    permute,
    address: { options: permute },
    open: () => (chunks) => chunks,
  });
}

/** Rows of a chunk that comes out: the consumer may stop at any of them. */
const CHUNK_ROWS = MOST_PICKED;

async function* shuffleChunks(
  chunks: AsyncIterable<Chunk>,
  { order }: StageContext,
  holder: Holder | undefined,
): AsyncGenerator<Chunk> {
  let held: Held | undefined;
  let block = -1;
  const input = new UntilFailure(chunks);
  try {
    for await (const chunk of input) {
      held ??= chunk.kind === "records" ? new RecordBlock() : new RowBlock(holder !== undefined);
      for (let from = 0; from < chunk.length; ) {
        const here = blockOf(order!, chunk.trace.position(from));
        if (here !== block && held.length > 0) yield* held.give(order!);
        block = here;
        let to = from + 1;
        while (to < chunk.length && blockOf(order!, chunk.trace.position(to)) === block) to++;
        held.add(chunk, from, to);
        holder?.hold(held.bytes, held.length);
        from = to;
      }
    }
    if (held !== undefined && held.length > 0) yield* held.give(order!);
    input.rethrow();
  } finally {
    held?.close();
  }
}

/** The rows of one block. */
interface Held {
  readonly length: number;
  /** Memory that they take. */
  readonly bytes: number;
  add(chunk: Chunk, from: number, to: number): void;
  /** Gives the rows in their new order, and forgets them. */
  give(order: ShuffleOrder): Generator<Chunk>;
  close(): void;
}

class RowBlock extends HeldRows implements Held {
  close(): void {
    this.take();
  }

  *give(order: ShuffleOrder): Generator<RowChunk> {
    const { rows, trace } = this.take();
    const sorted = sortedRows(order, trace, rows.length);
    const shuffled = new BlockTrace(trace, sorted, reachOfBlock(order, trace.position(0)));
    for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
      const part = sorted.subarray(from, from + CHUNK_ROWS);
      yield rowChunk(
        Array.from(part, (row) => rows[row]),
        traceFrom(shuffled, from),
      );
    }
  }
}

/** Samples that are not decoded yet: their bytes are kept close together, and the memory serves block after block. */
class RecordBlock implements Held {
  readonly #records = new HeldRecords();
  #trace = new JoinedTrace();

  get length(): number {
    return this.#records.length;
  }

  get bytes(): number {
    return this.#records.bytes;
  }

  add(chunk: Chunk, from: number, to: number): void {
    this.#records.add((chunk as RecordChunk).records, from, to);
    this.#trace.add(chunk.trace, from, to - from);
  }

  close(): void {
    this.#records.close();
  }

  *give(order: ShuffleOrder): Generator<RecordChunk> {
    const trace = this.#trace;
    this.#trace = new JoinedTrace();
    const sorted = sortedRows(order, trace, this.length);
    const shuffled = new BlockTrace(trace, sorted, reachOfBlock(order, trace.position(0)));
    for (let from = 0; from < sorted.length; ) {
      let to = from;
      for (let bytes = 0; to < sorted.length && to - from < CHUNK_ROWS && bytes < CHUNK_BYTES; to++) {
        bytes += this.#records.size(sorted[to]!);
      }
      const records = this.#records.pick(sorted.subarray(from, to));
      yield { kind: "records", length: to - from, trace: traceFrom(shuffled, from), records };
      from = to;
    }
    this.#records.clear();
  }
}

/** The rows of a block in their new order: by hash, and by place where hashes are equal. */
function sortedRows(order: ShuffleOrder, trace: Trace, length: number): Int32Array {
  const hashes = new Uint32Array(length);
  for (let row = 0; row < length; row++) hashes[row] = orderHash(order, trace.position(row), trace.part(row));
  const sorted = sortByHash(hashes);
  // Rows of an earlier shuffle do not come by position: among equal hashes the order is mended.
  for (let i = 1; i < length; i++) {
    for (
      let k = i;
      k > 0 && hashes[sorted[k]!] === hashes[sorted[k - 1]!] && isBefore(trace, sorted[k]!, sorted[k - 1]!);
      k--
    ) {
      [sorted[k - 1], sorted[k]] = [sorted[k]!, sorted[k - 1]!];
    }
  }
  return sorted;
}

/** Row numbers by hash, equal ones in the order they came: a radix sort by 11 bits, 11 and 10, a tenth of a comparing one's time. */
function sortByHash(hashes: Uint32Array): Int32Array {
  let from = Int32Array.from(hashes, (_, row) => row);
  let to = new Int32Array(hashes.length);
  for (const shift of [0, 11, 22]) {
    const next = new Int32Array(2048 + 1);
    for (let i = 0; i < hashes.length; i++) next[((hashes[i]! >>> shift) & 2047) + 1]!++;
    for (let digit = 1; digit <= 2048; digit++) next[digit]! += next[digit - 1]!;
    for (let i = 0; i < from.length; i++) to[next[(hashes[from[i]!]! >>> shift) & 2047]!++] = from[i]!;
    [from, to] = [to, from];
  }
  return from;
}

function isBefore(trace: Trace, a: number, b: number): boolean {
  return (trace.position(a) - trace.position(b) || trace.part(a) - trace.part(b)) < 0;
}
