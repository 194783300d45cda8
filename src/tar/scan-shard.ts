import { PipelineError } from "../errors.ts";
import { shownAddress } from "../storage/address.ts";
import type { ByteReader } from "../storage/byte-reader.ts";
import { Damage } from "./damage.ts";
import { paddedSize } from "./header.ts";
import { KeyCollector } from "./key-collector.ts";
import { decodeName } from "./keys.ts";
import { END, MEMBER, Members } from "./members.ts";
import { IndexBuilder, type IndexFacts } from "./shard-index.ts";
import { isMsgpack } from "./shard-reader.ts";
import { Window } from "./window.ts";
import { WindowMemory } from "./window-memory.ts";

/** How a shard is scanned; `members` and `endMarker` as for reading. */
export interface ScanOptions {
  readonly url: string;
  readonly members: "msgpack" | "files";
  readonly endMarker?: "required" | "optional";
  /** Bytes of the shard as it is stored. */
  readonly size: number;
}

/** Small, as of large samples only the headers are looked at. */
const WINDOW_BYTES = 32 << 10;

/**
 * Makes the offset index of a shard from its headers; data is passed over where the source can. Samples are counted as
 * `ShardReader` counts them, those at fault included.
 *
 * @throws {PipelineError} `SHARD_TRUNCATED`, `SHARD_CORRUPT`; `UNSUPPORTED` where members cannot be read one by one.
 */
export async function scanShard(
  source: ByteReader,
  { url, members, endMarker, size }: ScanOptions,
): Promise<Uint8Array> {
  const shard = shownAddress(url);
  const window = new Window(source, new WindowMemory(WINDOW_BYTES));
  const walk = new Members(window);
  const keys = new KeyCollector();
  const index = new IndexBuilder();
  const groups = members === "files" ? new FileGroups(index) : new MsgpackGroups(index);
  try {
    for (let step = walk.next(); step !== END; step = walk.next()) {
      if (step === MEMBER) {
        if (keys.split(walk.name, walk.nameStart, walk.nameEnd)) groups.add(walk, keys, window);
        walk.pass();
      } else if (window.ended) {
        walk.checkEnd((total) => endMarker === "optional" || total === source.size);
        break;
      } else {
        await window.more(window.at, walk.need);
      }
    }
  } catch (error) {
    throw error instanceof Damage ? error.of(shard, undefined) : error;
  }
  groups.finish();
  if (walk.hasGlobals) {
    throw new PipelineError(
      "UNSUPPORTED",
      `Cannot index "${shard}": a global header gives names or sizes of its members`,
      {
        url: shard,
        hint: "write the shard again, with shardWriter or with webdataset",
      },
    );
  }
  const counts: IndexFacts["counts"] = groups.isPlain ? "both" : members;
  return index.finish({ counts, isCompressed: source.isCompressed === true, size });
}

/** A run of neighbouring members of one key. */
abstract class Groups {
  /** Every member seen was the msgpack file of a sample of its own: however samples are counted, it comes to the same. */
  isPlain = true;
  protected readonly index: IndexBuilder;
  protected start = 0;
  protected end = 0;
  protected hash = 0;

  constructor(index: IndexBuilder) {
    this.index = index;
  }

  /** Takes in the member that is looked at. */
  add(walk: Members, keys: KeyCollector, window: Window): void {
    const isSame = keys.isSame();
    const isPack = isMsgpack(walk.name, keys.extension, keys.extensionEnd);
    if (isSame || !isPack) this.isPlain = false;
    const end = window.offset + paddedSize(walk.dataEnd - window.at);
    this.member(walk, keys, end, isSame, isPack);
  }

  protected open(keys: KeyCollector, start: number): void {
    keys.reset(true);
    keys.open();
    this.start = start;
    this.hash = keys.hash();
  }

  protected give(end: number, nth: number): void {
    this.index.add(this.start, end - this.start, nth, this.hash);
  }

  protected abstract member(walk: Members, keys: KeyCollector, end: number, isSame: boolean, isPack: boolean): void;
  abstract finish(): void;
}

/** Each msgpack file is a sample; a second one of its key is one at fault, and so is a key without any. */
class MsgpackGroups extends Groups {
  #given = -1; // samples of the open group; -1 before the first

  protected member(walk: Members, keys: KeyCollector, end: number, isSame: boolean, isPack: boolean): void {
    if (!isSame) {
      this.finish();
      this.open(keys, walk.start);
      this.#given = 0;
    }
    this.end = end;
    if (isPack) this.give(end, this.#given++);
  }

  finish(): void {
    if (this.#given === 0) this.give(this.end, 0);
  }
}

/** All neighbouring files of a key are a sample; from the first extension that is there twice on they are one at fault. */
class FileGroups extends Groups {
  #isOpen = false;
  #isFault = false;
  readonly #extensions = new Set<string>();

  protected member(walk: Members, keys: KeyCollector, end: number, isSame: boolean): void {
    const extension = decodeName(new Uint8Array(walk.name.buffer), keys.extension, keys.extensionEnd).toLowerCase();
    if (!isSame || (!this.#isFault && this.#extensions.has(extension))) this.finish();
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#isFault = isSame;
      this.#extensions.clear();
      if (!isSame) this.open(keys, walk.start);
    }
    this.#extensions.add(extension);
    this.end = end;
  }

  finish(): void {
    if (this.#isOpen) this.give(this.end, this.#isFault ? 1 : 0);
    this.#isOpen = false;
  }
}
