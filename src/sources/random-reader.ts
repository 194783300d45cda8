import type { RawSample } from "../codec/raw-sample.ts";
import type { PipelineError } from "../errors.ts";
import { allocate } from "../runtime/allocate.ts";
import { shownAddress } from "../storage/address.ts";
import { type ByteRanges, openRanges } from "../storage/ranges.ts";
import type { Holder } from "../streams/budget.ts";
import { type Chunk, rowChunk } from "../streams/chunk.ts";
import type { Faults } from "../streams/faults.ts";
import type { Meter } from "../streams/progress.ts";
import { ReadTrace } from "../streams/source-trace.ts";
import type { Origin } from "../streams/trace.ts";
import { PickedTrace } from "../streams/trace-of.ts";
import type { SampleKeys } from "../tar/keys.ts";
import { type Found, type Memory, memoryOf, SpanReader, type Spans } from "../tar/span-reader.ts";
import { staleIndex } from "../tar/stale-index.ts";
import type { Layout } from "./layout.ts";

/** Shards that stay open. */
const MOST_OPEN = 64;
/** Bytes between two samples that are read along, rather than read by themselves. */
const MOST_GAP = 4096;
/** Rows, and bytes, of a chunk that comes out: what is decoded together is in memory together. */
const CHUNK_ROWS = 256;
const CHUNK_BYTES = 1 << 20;
const BLOCK = 512;

/** Rows that can be wanted together. */
export const MOST_ROWS: number = 2 ** 16;

export interface RandomReaderOptions {
  readonly reads: "msgpack" | "files" | "raw";
  /** Told of a shard that is not the one its index was made of. */
  readonly onStale: (url: string) => void;
  /** Whether so many samples are wanted that indexes are worth loading whole. */
  readonly isMany: boolean;
  readonly faults: Faults;
  readonly signal: AbortSignal;
  /** Where to count what is read. */
  readonly meter?: Meter | undefined;
  /** Accounts for the memory that samples are read into. */
  readonly holder?: Holder | undefined;
}

/** Samples that are wanted together: `numbers[i]`, in stored order, is handed out as `positions[i]`. */
export interface Wanted {
  readonly numbers: Float64Array;
  readonly positions: Float64Array;
}

/** Reads samples of shards from any places, neighbours in one go. */
export class RandomReader {
  readonly #layout: Layout;
  readonly #options: RandomReaderOptions;
  readonly #spans = new SpanReader();
  /** Open shards, the one used last at the end. */
  readonly #files = new Map<number, ByteRanges>();
  /** Shards that were given up. */
  readonly #lost = new Set<number>();
  #memory: Memory = memoryOf(new Uint8Array(0));
  /** Of the samples wanted last. */
  meanBytes = 1;

  constructor(layout: Layout, options: RandomReaderOptions) {
    this.#layout = layout;
    this.#options = options;
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map((file) => file.close()));
  }

  /** Reads what is wanted, and hands it out in the order it was asked for; with at most `mostBytes` in memory, or one sample. */
  async *read(wanted: Wanted, mostBytes: number): AsyncGenerator<Chunk> {
    const places = await this.#place(wanted);
    const rows = wanted.numbers.length;
    this.meanBytes = Math.max(1, places.bytes / rows);
    if (places.bytes > mostBytes && rows > 1) {
      const half = rows >> 1;
      for (const [from, to] of [
        [0, half],
        [half, rows],
      ] as const) {
        const { numbers, positions } = wanted;
        yield* this.read({ numbers: numbers.subarray(from, to), positions: positions.subarray(from, to) }, mostBytes);
      }
      return;
    }
    await this.#fill(places, rows);
    for (let from = 0; from < rows; ) {
      let to = from;
      for (let bytes = 0; to < rows && to - from < CHUNK_ROWS && bytes < CHUNK_BYTES; to++)
        bytes += places.lengths[to]!;
      yield* this.#chunks(wanted, places, from, to);
      from = to;
    }
  }

  /** Where each sample will lie in memory, and what has to be read for it. */
  async #place({ numbers }: Wanted): Promise<Places> {
    const layout = this.#layout;
    const rows = numbers.length;
    const places = new Places(rows);
    const sorted = sortedRows(numbers);
    for (let i = 0; i < rows; ) {
      const shard = layout.shardOf(numbers[sorted[i]!]!);
      const start = layout.starts[shard]!;
      const end = layout.starts[shard + 1]!;
      let to = i + 1;
      while (to < rows && numbers[sorted[to]!]! < end) to++;
      await this.#guarded(shard, async () => {
        const index = layout.shards[shard]!;
        const [first, last] = [numbers[sorted[i]!]! - start, numbers[sorted[to - 1]!]! - start];
        const entries = await (this.#options.isMany ? index.all() : index.some(first, last + 1));
        for (let k = i; k < to; k++) {
          const row = sorted[k]!;
          const sample = numbers[row]! - start;
          const offset = entries.offset(sample);
          const span = entries.span(sample);
          if (offset % BLOCK !== 0 || offset + span > index.size + BLOCK) throw staleIndex(this.#url(shard));
          places.add(row, shard, offset, span, entries.nth(sample), entries.hash(sample));
        }
      });
      i = to;
    }
    return places;
  }

  /** Reads what was placed into memory. */
  async #fill({ reads, bytes }: Places, rows: number): Promise<void> {
    const { meter, holder } = this.#options;
    if (this.#memory.bytes.length < bytes) {
      const size = blocks(bytes);
      holder?.hold(size, rows);
      this.#memory = memoryOf(allocate(size));
    }
    for (const { shard, offset, length, at } of reads) {
      await this.#guarded(shard, async () => {
        const file = this.#files.get(shard) ?? (await this.#open(shard));
        const count = await file.read(this.#memory.bytes.subarray(at, at + length), offset);
        if (count < length - BLOCK) throw staleIndex(this.#url(shard));
        if (meter !== undefined) meter.bytes += count;
      });
    }
  }

  async #open(shard: number): Promise<ByteRanges> {
    const { url, size } = this.#layout.shards[shard]!;
    if (this.#files.size >= MOST_OPEN) {
      const [oldest, file] = this.#files.entries().next().value!;
      this.#files.delete(oldest);
      await file.close();
    }
    const file = await openRanges(url, { signal: this.#options.signal });
    this.#files.set(shard, file);
    if (file.size !== size) throw staleIndex(shownAddress(url), `it has ${file.size} bytes, and not ${size}`);
    return file;
  }

  /** Does something with a shard; what goes wrong is a fault of it, and then it is done with. */
  async #guarded(shard: number, use: () => Promise<void>): Promise<void> {
    if (this.#lost.has(shard)) return;
    try {
      this.#options.signal.throwIfAborted();
      await use();
    } catch (error) {
      this.#lose(shard, error);
    }
  }

  #lose(shard: number, error: unknown): void {
    this.#lost.add(shard);
    const isStale = (error as Partial<PipelineError>).code === "INDEX_STALE";
    if (isStale) this.#options.onStale(this.#layout.shards[shard]!.url);
    this.#options.faults.shard(error, this.#url(shard));
  }

  #url(shard: number): string {
    return shownAddress(this.#layout.shards[shard]!.url);
  }

  /** Rows `from` to `to` as one chunk, or as several where some are at fault. */
  async *#chunks({ numbers, positions }: Wanted, places: Places, from: number, to: number): AsyncGenerator<Chunk> {
    const { reads, faults, meter } = this.#options;
    const isRecords = reads === "msgpack";
    const [starts, ends] = [new Int32Array(to - from), new Int32Array(to - from)];
    const kept: number[] = [];
    const samples: RawSample[] = [];
    const wrong = new Map<number, PipelineError>();
    for (let row = from; row < to; row++) {
      const shard = places.shards[row]!;
      if (shard < 0 || this.#lost.has(shard)) continue;
      let found: Found | undefined;
      try {
        // Nothing is waited for where nothing has to be: samples of one file are the usual case.
        if (!isRecords || !this.#spans.readMsgpack(this.#memory, places, row, this.#url(shard))) {
          const members = isRecords ? "msgpack" : "files";
          found = await this.#spans.readOther(this.#memory, places, row, this.#url(shard), members);
        }
      } catch (error) {
        this.#lose(shard, error);
        continue;
      }
      const i = kept.push(row) - 1;
      starts[i] = this.#spans.start;
      ends[i] = this.#spans.end;
      if (found?.fault !== undefined) wrong.set(i, found.fault);
      if (found?.parts !== undefined)
        samples[i] = { key: "", parts: found.parts, origin: this.#layout.placeOf(numbers[row]!) };
    }
    if (kept.length === 0) return;
    if (meter !== undefined) meter.samples += kept.length;
    const keys = this.#spans.takeKeys();
    const trace = new ListedTrace(
      Float64Array.from(kept, (row) => positions[row]!),
      Float64Array.from(kept, (row) => numbers[row]!),
      keys,
      this.#layout,
    );
    const { length } = kept;
    if (isRecords) {
      const { bytes, view } = this.#memory;
      yield { kind: "records", length, trace, records: { windows: [{ bytes, view }], starts, ends, faults: wrong } };
      return;
    }
    for (let first = 0; first < length; ) {
      let last = first;
      while (last < length && !wrong.has(last)) last++;
      const part = Int32Array.from({ length: last - first }, (_, i) => first + i);
      const rows = Array.from(part, (i) => ({ ...samples[i]!, key: keys.at(i) }));
      if (rows.length > 0) yield rowChunk(rows, new PickedTrace(trace, part));
      if (last < length) faults.sample(wrong.get(last), "read", trace, last);
      first = last + 1;
    }
  }
}

/** Where samples lie: in which shard, and in memory once they are read. */
class Places implements Spans {
  /** By row; -1 where its shard is lost. */
  readonly shards: Int32Array;
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
  readonly nths: Uint8Array;
  readonly hashes: Float64Array;
  /** Stretches of shards, and where in memory they go. */
  readonly reads: { readonly shard: number; readonly offset: number; length: number; readonly at: number }[] = [];
  bytes = 0;

  constructor(rows: number) {
    this.shards = new Int32Array(rows).fill(-1);
    this.starts = new Float64Array(rows);
    this.lengths = new Float64Array(rows);
    this.nths = new Uint8Array(rows);
    this.hashes = new Float64Array(rows);
  }

  /** Rows come in the order of their places in shards. */
  add(row: number, shard: number, offset: number, length: number, nth: number, hash: number): void {
    let read = this.reads.at(-1);
    if (read?.shard !== shard || offset > read.offset + read.length + MOST_GAP) {
      read = { shard, offset, length: 0, at: this.bytes };
      this.reads.push(read);
    }
    read.length = Math.max(read.length, offset + length - read.offset);
    this.bytes = read.at + read.length;
    this.shards[row] = shard;
    this.starts[row] = read.at + offset - read.offset;
    this.lengths[row] = length;
    this.nths[row] = nth;
    this.hashes[row] = hash;
  }
}

/** Rows by their numbers. */
function sortedRows(numbers: Float64Array): Int32Array {
  // Both in one number, as sorting numbers without a function is ten times as fast.
  const keys = numbers.map((number, row) => number * MOST_ROWS + row).sort();
  return Int32Array.from(keys, (key) => key % MOST_ROWS);
}

/** Whole blocks, with some room for the next samples to be larger. */
function blocks(bytes: number): number {
  return Math.ceil((bytes * 1.25) / BLOCK) * BLOCK;
}

/** Rows from any places of shards. */
class ListedTrace extends ReadTrace {
  readonly #positions: Float64Array;
  readonly #numbers: Float64Array;
  readonly #keys: SampleKeys;
  readonly #layout: Layout;

  constructor(positions: Float64Array, numbers: Float64Array, keys: SampleKeys, layout: Layout) {
    super();
    this.#positions = positions;
    this.#numbers = numbers;
    this.#keys = keys;
    this.#layout = layout;
  }

  override position(row: number): number {
    return this.#positions[row]!;
  }
  override origin(row: number): Origin {
    return { ...this.#layout.placeOf(this.#numbers[row]!), key: this.#keys.at(row), part: 0 };
  }
}
