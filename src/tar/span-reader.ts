import type { RawSample } from "../codec/raw-sample.ts";
import type { PipelineError } from "../errors.ts";
import type { ByteReader } from "../storage/byte-reader.ts";
import { KeyCollector } from "./key-collector.ts";
import { hashOfKey } from "./key-hash.ts";
import type { SampleKeys } from "./keys.ts";
import { MEMBER, Members } from "./members.ts";
import { isMsgpack, type Part, ShardReader } from "./shard-reader.ts";
import { staleIndex } from "./stale-index.ts";
import { Window } from "./window.ts";
import { WindowMemory } from "./window-memory.ts";

/** Memory that spans of shards were read to, whole blocks of it. */
export type Memory = Pick<Window, "bytes" | "words" | "view">;

export function memoryOf(bytes: Uint8Array<ArrayBuffer>): Memory {
  return { bytes, words: new Int32Array(bytes.buffer), view: new DataView(bytes.buffer) };
}

/** Samples in memory, as their indexes tell of them. */
export interface Spans {
  /** Where they lie in the memory. */
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
  readonly nths: Uint8Array;
  readonly hashes: Float64Array;
}

/** What a span holds. */
export interface Found {
  /** Why it is no sample. */
  readonly fault?: PipelineError | undefined;
  /** With `members: "files"`. */
  readonly parts?: RawSample["parts"];
}

/** Reads samples one by one out of spans in memory. What is not as the index says is `INDEX_STALE`. */
export class SpanReader {
  /** Where the msgpack data of the sample just read lies in the memory. */
  start = -1;
  end = -1;
  readonly #window = new Window(NOTHING, new WindowMemory(0));
  readonly #members = new Members(this.#window);
  readonly #keys = new KeyCollector();

  /** The keys of the samples read since the last call. */
  takeKeys(): SampleKeys {
    const keys = this.#keys.take();
    this.#keys.reset(true);
    return keys;
  }

  /** Reads a sample that is one msgpack file; false if it takes {@link readOther}. */
  readMsgpack(memory: Memory, spans: Spans, row: number, shard: string): boolean {
    if (spans.nths[row]! > 0) return false;
    const window = this.#window;
    const members = this.#members;
    const keys = this.#keys;
    const limit = spans.starts[row]! + spans.lengths[row]!;
    window.lookAt(memory, spans.starts[row]!, limit);
    members.restart();
    try {
      while (members.next() === MEMBER) {
        const isOfSample = keys.split(members.name, members.nameStart, members.nameEnd);
        if (isOfSample && keys.hash() !== spans.hashes[row]) throw staleIndex(shard);
        if (isOfSample && isMsgpack(members.name, keys.extension, keys.extensionEnd)) {
          this.start = members.dataStart;
          this.end = members.dataEnd;
          if (this.end > limit) throw staleIndex(shard);
          keys.open();
          keys.give();
          return true;
        }
        members.pass();
      }
    } catch {
      throw staleIndex(shard);
    }
    return false;
  }

  /** Reads a sample of any kind, or finds out what is wrong with it. */
  async readOther(
    memory: Memory,
    spans: Spans,
    row: number,
    shard: string,
    members: "msgpack" | "files",
  ): Promise<Found> {
    const start = spans.starts[row]!;
    const bytes = memory.bytes.subarray(start, start + spans.lengths[row]!);
    const reader = new ShardReader(memoryReader(bytes), {
      url: shard,
      members,
      endMarker: "optional",
      windowBytes: bytes.length,
    });
    this.start = this.end = -1;
    let left = spans.nths[row]!;
    try {
      for (;;) {
        const records = await reader.read(256);
        if (records === undefined) break;
        if (left >= records.length) {
          left -= records.length;
          continue;
        }
        const key = records.keys.at(left);
        if (hashOfKey(key) !== spans.hashes[row]) break;
        const fault = records.faults?.get(left);
        if (fault === undefined && members === "msgpack") break; // a whole msgpack sample is no case for this
        this.#keys.giveText(key);
        return { fault, ...(fault === undefined && { parts: copyParts(records.parts![left]!, records.bytes) }) };
      }
    } catch {
      // Told below.
    }
    throw staleIndex(shard);
  }
}

function copyParts(parts: readonly Part[], bytes: Uint8Array): RawSample["parts"] {
  return new Map(parts.map(({ extension, start, end }) => [extension, bytes.slice(start, end)] as const));
}

function memoryReader(bytes: Uint8Array): ByteReader {
  let at = 0;
  return {
    async read(into) {
      const count = Math.min(into.length, bytes.length - at);
      into.set(bytes.subarray(at, at + count));
      at += count;
      return count;
    },
    close: () => Promise.resolve(),
  };
}

const NOTHING: ByteReader = { read: () => Promise.resolve(0), close: () => Promise.resolve() };
