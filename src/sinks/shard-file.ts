import { viewOf } from "../codec/msgpack.ts";
import type { SampleWriter } from "../codec/writer.ts";
import { PipelineError } from "../errors.ts";
import { allocate } from "../runtime/allocate.ts";
import { type ByteWriter, createFile, createLastingFile, type FileWriter } from "../storage/byte-writer.ts";
import { compressTo } from "../storage/compression/compress.ts";
import { type DigestingWriter, digesting } from "../storage/digest.ts";
import { removeFiles } from "../storage/files.ts";
import { hashOfKey } from "../tar/key-hash.ts";
import { IndexBuilder, indexPath } from "../tar/shard-index.ts";
import { END_BLOCKS, headerSize, paddedSize, putHeader } from "../tar/writer.ts";

/** A shard that was written. */
export interface WrittenShard {
  readonly path: string;
  readonly samples: number;
  /** Bytes of the tar, before compression. */
  readonly bytes: number;
  /** The file itself, where its digest was asked for. */
  readonly file?: WrittenFile;
}

/** A file as it lies on disk. */
export interface WrittenFile {
  readonly bytes: number;
  /** SHA-256, in hex. */
  readonly sha256: string;
}

/** How far a shard had come: {@link WrittenShard}, as data. */
export type SavedShard = { readonly [K in "path" | "samples" | "bytes"]: WrittenShard[K] };

/** Bytes collected before they are written: samples are encoded right behind their headers in it. */
const BUFFER_BYTES = 1 << 20;

const encoder = new TextEncoder();

/** A shard on its way to disk. */
export class ShardFile {
  readonly #path: string;
  readonly #file: FileWriter;
  /** The file, or what compresses on the way to it. */
  readonly #out: ByteWriter;
  readonly #index: ShardIndexFile | undefined;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #used = 0;
  #flushed = 0;
  readonly #nameBytes = new Uint8Array(256);
  samples = 0;

  private constructor(
    path: string,
    file: FileWriter,
    memory: Uint8Array<ArrayBuffer>,
    index: ShardIndexFile | undefined,
  ) {
    this.#path = path;
    this.#file = file;
    const isGzip = /\.(gz|tgz)$/i.test(path);
    const isZstd = /\.zst$/i.test(path);
    this.#out = isGzip || isZstd ? compressTo(file, isGzip ? "gzip" : "zstd") : file;
    this.#index = index;
    this.#bytes = memory;
    this.#view = viewOf(memory);
  }

  /** `memory` is that of an earlier shard, to be used again. */
  static async create(
    path: string,
    {
      index,
      digest,
      memory = allocate(BUFFER_BYTES),
    }: { index: boolean; digest: boolean; memory?: Uint8Array<ArrayBuffer> | undefined },
  ): Promise<ShardFile> {
    const created = await createFile(path);
    const file = digest ? digesting(created) : created;
    return new ShardFile(path, file, memory, index ? new ShardIndexFile(await createFile(indexPath(path))) : undefined);
  }

  /** One that a later process can take up again, from what {@link save} gave on. */
  static async createLasting(path: string, saved?: SavedShard): Promise<ShardFile> {
    if (/\.(gz|tgz|zst)$/i.test(path)) {
      throw new PipelineError(
        "UNSUPPORTED",
        `Cannot keep a checkpoint of "${path}": compressed shards are written in one go`,
        {
          url: path,
          hint: "write .tar",
        },
      );
    }
    const file = new ShardFile(path, await createLastingFile(path, saved?.bytes), allocate(BUFFER_BYTES), undefined);
    if (saved !== undefined) [file.samples, file.#flushed] = [saved.samples, saved.bytes];
    return file;
  }

  /** Puts all samples so far on disk; how to go on behind them. */
  async save(): Promise<SavedShard> {
    if (this.#used > 0) await this.flush();
    await this.#file.sync();
    return { path: this.#path, samples: this.samples, bytes: this.#flushed };
  }

  /** Frees the file, and leaves what is in it. */
  suspend(): Promise<void> {
    return this.#out.finish();
  }

  /** Gives the buffer away, once the shard is finished. */
  takeMemory(): Uint8Array<ArrayBuffer> {
    const memory = this.#bytes;
    this.#bytes = new Uint8Array(0);
    return memory;
  }

  /** Removes shards and what lies beside them. */
  static remove(paths: readonly string[]): Promise<void> {
    return removeFiles(paths.flatMap((path) => [path, indexPath(path)]));
  }

  /** There is enough to be written. */
  get full(): boolean {
    return this.#used >= BUFFER_BYTES - BUFFER_BYTES / 8;
  }

  /** Adds a sample as one msgpack file; false, and nothing added, when the shard would be larger than `maxBytes`. */
  addSample(key: string, sample: unknown, writer: SampleWriter, maxBytes: number): boolean {
    const name = this.#name(key, "msgpack");
    const header = headerSize(name);
    const at = this.#reserve(header + paddedSize(writer.room(sample)));
    const end = writer.write(this.#bytes, this.#view, at + header);
    if (!this.#close(at, name, header, end, maxBytes)) return false;
    this.#index?.add(this.#flushed + at, this.#used - at, key, true);
    return true;
  }

  /** The same for a sample that is encoded already. */
  addBytes(key: string, data: Uint8Array, maxBytes: number): boolean {
    return this.addFiles(key, new Map([["msgpack", data]]), maxBytes);
  }

  /** The same for a sample of several files, by extension. */
  addFiles(key: string, files: ReadonlyMap<string, Uint8Array>, maxBytes: number): boolean {
    const before = this.#used;
    const isPlain = files.size === 1 && files.has("msgpack");
    for (const [extension, data] of files) {
      const name = this.#name(key, extension);
      const header = headerSize(name);
      const at = this.#reserve(header + paddedSize(data.length));
      this.#bytes.set(data, at + header);
      if (!this.#close(at, name, header, at + header + data.length, maxBytes)) {
        this.#used = before;
        return false;
      }
      this.samples--;
    }
    this.samples++;
    this.#index?.add(this.#flushed + before, this.#used - before, key, isPlain);
    return true;
  }

  #name(key: string, extension: string): Uint8Array {
    const name = `${key}.${extension}`;
    // Names are short ASCII nearly always: a loop takes a fifth of the encoder's time.
    for (let i = 0; i < name.length; i++) {
      const unit = name.charCodeAt(i);
      if (unit >= 0x80 || i === this.#nameBytes.length) return encoder.encode(name);
      this.#nameBytes[i] = unit;
    }
    return this.#nameBytes.subarray(0, name.length);
  }

  /** Makes room behind what is there; where it begins. */
  #reserve(size: number): number {
    const needed = this.#used + size + END_BLOCKS;
    if (needed > this.#bytes.length) {
      const grown = allocate(Math.max(needed, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = grown;
      this.#view = viewOf(grown);
    }
    return this.#used;
  }

  #close(at: number, name: Uint8Array, header: number, end: number, maxBytes: number): boolean {
    const size = end - at - header;
    const next = at + header + paddedSize(size);
    if (this.samples > 0 && this.#flushed + next + END_BLOCKS > maxBytes) return false;
    putHeader(this.#bytes, at, name, size);
    this.#bytes.fill(0, end, next);
    this.#used = next;
    this.samples++;
    return true;
  }

  async flush(): Promise<void> {
    await this.#out.write(this.#bytes.subarray(0, this.#used));
    this.#flushed += this.#used;
    this.#used = 0;
  }

  /** Ends the shard; it stays out of sight. */
  async finish(): Promise<WrittenShard> {
    this.#reserve(0);
    this.#bytes.fill(0, this.#used, this.#used + END_BLOCKS);
    this.#used += END_BLOCKS;
    await this.flush();
    await this.#out.finish();
    await this.#index?.finish(this.#file.size, this.#out !== this.#file);
    const written = { path: this.#path, samples: this.samples, bytes: this.#flushed };
    if (!("sha256" in this.#file)) return written;
    const { size, sha256 } = this.#file as DigestingWriter;
    return { ...written, file: { bytes: size, sha256: sha256() } };
  }

  /** Makes the shard visible. */
  async commit(overwrite: boolean): Promise<void> {
    if (this.#index === undefined) {
      await this.#out.commit(overwrite);
      // An older one would be of another shard.
      if (overwrite) await removeFiles([indexPath(this.#path)]);
    } else {
      await this.#index.commit(overwrite); // first, so that whoever sees the shard sees it too
      try {
        await this.#out.commit(overwrite);
      } catch (error) {
        await removeFiles([indexPath(this.#path)]);
        throw error;
      }
    }
  }

  async discard(): Promise<void> {
    await Promise.all([this.#out.discard(), this.#index?.discard()]);
  }
}

/** The offset index of a shard that is written. */
class ShardIndexFile {
  readonly #out: ByteWriter;
  readonly #index = new IndexBuilder();
  #isPlain = true;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** Adds a sample; `isPlain`: it is one msgpack file. */
  add(offset: number, span: number, key: string, isPlain: boolean): void {
    this.#isPlain &&= isPlain;
    this.#index.add(offset, span, 0, hashOfKey(key));
  }

  async finish(size: number, isCompressed: boolean): Promise<void> {
    await this.#out.write(this.#index.finish({ counts: this.#isPlain ? "both" : "files", isCompressed, size }));
    await this.#out.finish();
  }

  commit(overwrite: boolean): Promise<void> {
    return this.#out.commit(overwrite);
  }

  discard(): Promise<void> {
    return this.#out.discard();
  }
}
