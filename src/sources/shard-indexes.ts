import { PipelineError } from "../errors.ts";
import { allocate } from "../runtime/allocate.ts";
import { schemeOf, shownAddress } from "../storage/address.ts";
import { decompress } from "../storage/compression/decompress.ts";
import { openBytes } from "../storage/open.ts";
import { type ByteRanges, openRanges } from "../storage/ranges.ts";
import { scanShard } from "../tar/scan-shard.ts";
import {
  ENTRY_BYTES,
  HEADER_BYTES,
  IndexEntries,
  type IndexFacts,
  indexPath,
  readIndexHeader,
} from "../tar/shard-index.ts";

/** Entries that are read by themselves, rather than with all others of their index. */
const FEW = 4096;

/** How the samples of a dataset are counted. */
export interface CountOptions {
  readonly members: "msgpack" | "files";
  readonly endMarker?: "required" | "optional" | undefined;
}

/** The offset index of one shard: a file beside it, or made by scanning the shard. */
export interface OpenIndex extends IndexFacts {
  readonly url: string;
  /** Made in memory, and not read from a file. */
  readonly isScanned: boolean;
  /** All entries, kept from then on. */
  all(): Promise<IndexEntries>;
  /** Entries `from` to `to` at least. */
  some(from: number, to: number): Promise<IndexEntries>;
}

/** The offset indexes of the shards of a dataset, each opened or made once. */
export class ShardIndexes {
  readonly #options: CountOptions;
  readonly #open = new Map<string, { readonly index: Promise<OpenIndex>; readonly signal: AbortSignal | undefined }>();

  constructor(options: CountOptions) {
    this.#options = options;
  }

  /** The index of a shard: that beside it, or else what a scan of the shard finds. */
  async open(url: string, signal?: AbortSignal): Promise<OpenIndex> {
    return (await this.peek(url, signal)) ?? this.#keep(url, this.#scan(url, signal), signal);
  }

  /** The index of a shard, if it takes no scan. */
  async peek(url: string, signal?: AbortSignal): Promise<OpenIndex | undefined> {
    const known = await this.#known(url, signal);
    if (known !== undefined) return known;
    const found = await this.#sidecar(url);
    return found === undefined ? undefined : this.#keep(url, Promise.resolve(found));
  }

  /** Forgets what is known of a shard: it was another one. */
  forget(url: string): void {
    this.#open.delete(url);
  }

  /** What is known already. A shard of another size than when it was scanned is scanned again. */
  async #known(url: string, signal?: AbortSignal): Promise<OpenIndex | undefined> {
    const opened = this.#open.get(url);
    if (opened === undefined) return undefined;
    let known: OpenIndex;
    try {
      known = await opened.index;
    } catch (error) {
      // It was scanned for another run, which was aborted.
      if (opened.signal?.aborted === true && signal?.aborted !== true) return undefined;
      throw error;
    }
    const isSame = !known.isScanned || schemeOf(url) !== "file" || (await sizeOf(url)) === known.size;
    return isSame ? known : undefined;
  }

  #keep(url: string, index: Promise<OpenIndex>, signal?: AbortSignal): Promise<OpenIndex> {
    const opened = { index, signal };
    this.#open.set(url, opened);
    index.catch(() => {
      if (this.#open.get(url) === opened) this.#open.delete(url);
    });
    return index;
  }

  async #sidecar(url: string): Promise<OpenIndex | undefined> {
    if (schemeOf(url) !== "file") return undefined;
    const path = indexPath(url);
    const facts = await withFile(path, async (file) => {
      const header = new Uint8Array(HEADER_BYTES);
      return readIndexHeader(header.subarray(0, await file.read(header, 0)), file.size, path);
    });
    // Samples counted in another way are other samples.
    if (facts === undefined || (facts.counts !== "both" && facts.counts !== this.#options.members)) return undefined;
    let loaded: Promise<IndexEntries> | undefined;
    const load = async (from: number, to: number): Promise<IndexEntries> => {
      const bytes = allocate((to - from) * ENTRY_BYTES);
      const count = await withFile(path, (file) => file.read(bytes, HEADER_BYTES + from * ENTRY_BYTES));
      if (count === bytes.length) return new IndexEntries(bytes, from);
      throw new PipelineError("INDEX_STALE", `Cannot read index "${path}": it has changed since it was opened`, {
        url: path,
        hint: "read the dataset again",
      });
    };
    const all = async (): Promise<IndexEntries> => {
      refuseCompressed(url, facts);
      loaded ??= load(0, facts.count);
      return loaded;
    };
    const some = async (from: number, to: number): Promise<IndexEntries> => {
      refuseCompressed(url, facts);
      return loaded === undefined && to - from <= FEW ? load(from, to) : all();
    };
    return { url, ...facts, isScanned: false, all, some };
  }

  async #scan(url: string, signal?: AbortSignal): Promise<OpenIndex> {
    const bytes = await makeIndex(url, this.#options, signal);
    const facts = readIndexHeader(bytes, bytes.length, url);
    const entries = new IndexEntries(bytes.subarray(HEADER_BYTES));
    const all = async (): Promise<IndexEntries> => {
      refuseCompressed(url, facts);
      return entries;
    };
    return { url, ...facts, isScanned: true, all, some: all };
  }
}

/** Scans a shard: the bytes of its index. */
export async function makeIndex(
  url: string,
  { members, endMarker }: CountOptions,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await openBytes(url, signal && { signal });
  try {
    const size = bytes.size ?? (schemeOf(url) === "file" ? await sizeOf(url) : 0);
    const options = { url, members, size, ...(endMarker && { endMarker }) };
    return await scanShard(await decompress(bytes), options);
  } finally {
    await bytes.close();
  }
}

/** Bytes of a local shard as it is stored. */
export async function sizeOf(url: string): Promise<number> {
  const file = await openRanges(url);
  await file.close();
  return file.size;
}

/** Opens a file for a moment; undefined if there is none. */
async function withFile<T>(path: string, use: (file: ByteRanges) => Promise<T>): Promise<T | undefined> {
  let file: ByteRanges;
  try {
    file = await openRanges(path);
  } catch (error) {
    if ((error as { cause?: { code?: string } }).cause?.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

function refuseCompressed(address: string, { isCompressed }: IndexFacts): void {
  if (!isCompressed) return;
  const url = shownAddress(address);
  throw new PipelineError("UNSUPPORTED", `Cannot read "${url}" at random places: it is compressed`, {
    url,
    hint: "decompress it, or go through it in order, with a window for a shuffle",
  });
}
