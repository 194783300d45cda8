import { PipelineError } from "../errors.ts";

/** What an index says about its shard as a whole. */
export interface IndexFacts {
  /** Whether samples were counted as their msgpack files, as all files of their keys, or it comes to the same. */
  readonly counts: "msgpack" | "files" | "both";
  /** Offsets are those of the decompressed bytes: they serve for counting only. */
  readonly isCompressed: boolean;
  /** Samples. */
  readonly count: number;
  /** Bytes of the shard as it is stored. */
  readonly size: number;
}

/** Bytes of the header, and of what follows it for each sample. See `docs/index-format.md`. */
export const HEADER_BYTES = 32;
export const ENTRY_BYTES = 16;

const MAGIC = "shardidx";
const VERSION = 1;
const FLAG = { msgpack: 1, files: 2, compressed: 4 } as const;

/** Where each sample of a shard lies: entries `first` to `first + length` of its index. */
export class IndexEntries {
  readonly first: number;
  readonly length: number;
  readonly #view: DataView;

  /** `bytes` hold whole entries. */
  constructor(bytes: Uint8Array, first = 0) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.first = first;
    this.length = bytes.length / ENTRY_BYTES;
  }

  /** Place in the shard of the sample's first header. */
  offset(sample: number): number {
    const at = this.#at(sample);
    return this.#view.getUint8(at + 8) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  /** Bytes from there to the end of the padding of the sample's last member. */
  span(sample: number): number {
    return this.#view.getUint32(this.#at(sample) + 4, true);
  }

  /** Which of the samples found in that span it is: not 0 where a member is there twice. */
  nth(sample: number): number {
    return this.#view.getUint8(this.#at(sample) + 9);
  }

  /** Hash of its key. */
  hash(sample: number): number {
    const at = this.#at(sample);
    return this.#view.getUint16(at + 10, true) * 2 ** 32 + this.#view.getUint32(at + 12, true);
  }

  /** The first sample from `from` on whose key has this hash; -1 where there is none. */
  find(hash: number, from: number): number {
    const view = this.#view;
    const low = hash % 2 ** 32;
    for (let i = Math.max(0, from - this.first); i < this.length; i++) {
      if (view.getUint32(i * ENTRY_BYTES + 12, true) === low && this.hash(this.first + i) === hash)
        return this.first + i;
    }
    return -1;
  }

  #at(sample: number): number {
    return (sample - this.first) * ENTRY_BYTES;
  }
}

/** Collects the entries of a shard that is written or scanned, one after another. */
export class IndexBuilder {
  #bytes = new Uint8Array(HEADER_BYTES + 1024 * ENTRY_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #used = HEADER_BYTES;

  add(offset: number, span: number, nth: number, hash: number): void {
    if (span >= 2 ** 32 || offset >= 2 ** 40) {
      throw new PipelineError("UNSUPPORTED", "Cannot index a shard of 1 TiB or more, or a sample of 4 GiB or more");
    }
    const at = this.#used;
    if (at + ENTRY_BYTES > this.#bytes.length) this.#grow();
    const view = this.#view;
    view.setUint32(at, offset % 2 ** 32, true);
    view.setUint32(at + 4, span, true);
    view.setUint8(at + 8, Math.floor(offset / 2 ** 32));
    view.setUint8(at + 9, Math.min(nth, 255));
    view.setUint16(at + 10, Math.floor(hash / 2 ** 32), true);
    view.setUint32(at + 12, hash % 2 ** 32, true);
    this.#used += ENTRY_BYTES;
  }

  get count(): number {
    return (this.#used - HEADER_BYTES) / ENTRY_BYTES;
  }

  /** Takes back what was added behind the first `count` samples. */
  truncate(count: number): void {
    this.#used = HEADER_BYTES + count * ENTRY_BYTES;
  }

  /** The index as a file. */
  finish({ counts, isCompressed, size }: Omit<IndexFacts, "count">): Uint8Array {
    const [bytes, view] = [this.#bytes, this.#view];
    for (let i = 0; i < MAGIC.length; i++) bytes[i] = MAGIC.charCodeAt(i);
    bytes[8] = VERSION;
    bytes[9] = (counts === "both" ? FLAG.msgpack | FLAG.files : FLAG[counts]) | (isCompressed ? FLAG.compressed : 0);
    view.setBigUint64(16, BigInt(this.count), true);
    view.setBigUint64(24, BigInt(size), true);
    return bytes.subarray(0, this.#used);
  }

  #grow(): void {
    const bytes = new Uint8Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/**
 * Reads the header of an index that is `fileSize` bytes long.
 *
 * @throws {PipelineError} `INDEX_CORRUPT`
 */
export function readIndexHeader(bytes: Uint8Array, fileSize: number, url: string): IndexFacts {
  const refuse = (
    what: string,
    hint = `remove it, or make it anew: shardstream index "${url.replace(/\.index$/, "")}"`,
  ) => new PipelineError("INDEX_CORRUPT", `Cannot read index "${url}": ${what}`, { url, hint });
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (bytes.length < HEADER_BYTES || magic !== MAGIC) throw refuse("it is no offset index");
  if (bytes[8] !== VERSION) throw refuse(`it is of version ${bytes[8]}, and this library knows ${VERSION}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const count = Number(view.getBigUint64(16, true));
  const wanted = HEADER_BYTES + count * ENTRY_BYTES;
  if (fileSize !== wanted) throw refuse(`it has ${fileSize} bytes, and ${count} samples take ${wanted}`);
  const flags = bytes[9]!;
  const isBoth = (flags & FLAG.msgpack) !== 0 && (flags & FLAG.files) !== 0;
  return {
    counts: isBoth ? "both" : flags & FLAG.files ? "files" : "msgpack",
    isCompressed: (flags & FLAG.compressed) !== 0,
    count,
    size: Number(view.getBigUint64(24, true)),
  };
}

/** Where the index of a shard lies: beside it. */
export function indexPath(shard: string): string {
  return `${shard}.index`;
}
