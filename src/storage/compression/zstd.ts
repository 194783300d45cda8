import { PipelineError } from "../../errors.ts";
import type { ByteReader } from "../byte-reader.ts";
import type { ByteInput } from "./byte-input.ts";
import { corrupt, cut, loadDecoder } from "./problems.ts";

/** The largest window that `zstd` itself decompresses without being asked to. */
const MAX_WINDOW_BYTES = 2 ** 27;
const MAX_BLOCK_BYTES = 2 ** 17;
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5; // without the lowest four bits

/**
 * Decompresses all zstd frames of a file (RFC 8878) and checks the checksum of those that have one. The frames are walked
 * here, block by block, so that no more than one block is decompressed ahead and a cut is found. The blocks are decoded
 * by fzstd, the same on every runtime: the decoders of `node:zlib` differ in what follows a frame and in what a cut is,
 * and Deno's ends the process at damage.
 */
export async function unzstd(input: ByteInput, source: ByteReader): Promise<ByteReader> {
  const { Decompress } = await loadDecoder("zstd", "fzstd", () => import("fzstd"));
  const { default: xxhash } = await loadDecoder("zstd", "xxhash-wasm", () => import("xxhash-wasm"));
  const { create64 } = await xxhash();
  return new ZstdReader(input, source, () => {
    const hash = create64();
    let chunks: Uint8Array[] = [];
    const decoder = new Decompress((chunk) => {
      hash.update(chunk);
      chunks.push(chunk);
    });
    return {
      decode(bytes, isLast) {
        chunks = [];
        decoder.push(bytes, isLast);
        return chunks;
      },
      checksum: () => Number(hash.digest() & 0xffffffffn),
    };
  });
}

interface Frame {
  /** Decodes a block, or the frame's header. */
  decode(bytes: Uint8Array, isLast: boolean): readonly Uint8Array[];
  /** Of what has been decoded. */
  checksum(): number;
}

class ZstdReader implements ByteReader {
  readonly #input: ByteInput;
  readonly #source: ByteReader;
  readonly #makeFrame: () => Frame;
  readonly #warnings: string[] = [];
  #frame: Frame | undefined; // the one that is open
  #hasChecksum = false;
  #chunks: Uint8Array[] = []; // decoded and not handed out
  #failure: PipelineError | undefined; // thrown when what was decoded has been handed out
  #frames = 0;
  #isDone = false;

  constructor(input: ByteInput, source: ByteReader, makeFrame: () => Frame) {
    this.#input = input;
    this.#source = source;
    this.#makeFrame = makeFrame;
  }

  get warnings(): readonly string[] {
    return [...this.#warnings, ...(this.#source.warnings ?? [])];
  }

  async read(into: Uint8Array): Promise<number> {
    for (;;) {
      const chunk = this.#chunks[0];
      if (chunk !== undefined) {
        const count = Math.min(chunk.length, into.length);
        into.set(chunk.subarray(0, count));
        if (count === chunk.length) this.#chunks.shift();
        else this.#chunks[0] = chunk.subarray(count);
        if (count > 0) return count;
      } else if (this.#failure !== undefined) {
        throw this.#failure;
      } else if (this.#isDone) {
        return 0;
      } else if (this.#frame === undefined) {
        await this.#openFrame();
      } else {
        await this.#readBlock();
      }
    }
  }

  async close(): Promise<void> {
    this.#isDone = true;
    this.#chunks = [];
    await this.#source.close();
  }

  async #openFrame(): Promise<void> {
    const input = this.#input;
    if (!(await input.ensure(1)) && this.#frames > 0) {
      this.#isDone = true;
      return;
    }
    const isWhole = await input.ensure(4);
    const magic = isWhole ? this.#view(4).getUint32(0, true) : 0;
    if (magic >>> 4 === SKIPPABLE) return this.#skipFrame();
    if (magic !== MAGIC) {
      if (!isWhole && (input.buffer[input.at] === 0x28 || this.#frames === 0)) throw cut("zstd");
      this.#warnings.push("bytes behind the last zstd frame are not read");
      this.#isDone = true;
      return;
    }
    await this.#need(5);
    const descriptor = input.buffer[input.at + 4]!;
    const isSingle = (descriptor & 0x20) !== 0;
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    if ((descriptor & 3) !== 0) {
      const hint = "compress it again without a dictionary";
      throw new PipelineError("UNSUPPORTED", "Cannot decompress zstd: it needs a dictionary", { hint });
    }
    const length = 5 + (isSingle ? 0 : 1) + sizeBytes;
    await this.#need(length);
    if (this.#windowSize(isSingle, sizeBytes) > MAX_WINDOW_BYTES) {
      throw corrupt("zstd", `it asks for a window of more than ${MAX_WINDOW_BYTES} bytes`);
    }
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#frame = this.#makeFrame();
    this.#frames++;
    this.#push(length, false);
  }

  #windowSize(isSingle: boolean, sizeBytes: number): number {
    const view = this.#view(14);
    if (!isSingle) {
      const base = 2 ** (10 + (view.getUint8(5) >> 3));
      return base + (base / 8) * (view.getUint8(5) & 7);
    }
    if (sizeBytes === 8) return Number(view.getBigUint64(5, true));
    return sizeBytes === 4
      ? view.getUint32(5, true)
      : sizeBytes === 2
        ? view.getUint16(5, true) + 256
        : view.getUint8(5);
  }

  async #skipFrame(): Promise<void> {
    await this.#need(8);
    let left = this.#view(8).getUint32(4, true);
    this.#input.at += 8;
    while (left > 0) {
      await this.#need(1);
      const count = Math.min(left, this.#input.end - this.#input.at);
      this.#input.at += count;
      left -= count;
    }
    this.#frames++;
  }

  async #readBlock(): Promise<void> {
    await this.#need(3);
    const view = this.#view(3);
    const header = view.getUint16(0, true) | (view.getUint8(2) << 16);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3 || size > MAX_BLOCK_BYTES) throw corrupt("zstd", "a block's header is wrong");
    const isLast = (header & 1) === 1;
    const length = 3 + (type === 1 ? 1 : size) + (isLast && this.#hasChecksum ? 4 : 0);
    await this.#need(length);
    this.#push(length, isLast);
    if (!isLast) return;
    if (this.#hasChecksum) {
      this.#input.at -= 4;
      if (this.#view(4).getUint32(0, true) !== this.#frame!.checksum()) {
        this.#failure = corrupt("zstd", "its checksum is wrong");
      }
      this.#input.at += 4;
    }
    this.#frame = undefined;
  }

  #push(length: number, isLast: boolean): void {
    const { buffer, at } = this.#input;
    this.#input.at += length;
    try {
      this.#chunks.push(...this.#frame!.decode(buffer.slice(at, at + length), isLast));
    } catch (cause) {
      throw corrupt("zstd", "a block does not decode", cause);
    }
  }

  /** The bytes at hand, and zeros where there are fewer. */
  #view(count: number): DataView {
    const bytes = new Uint8Array(count);
    bytes.set(this.#input.buffer.subarray(this.#input.at, Math.min(this.#input.at + count, this.#input.end)));
    return new DataView(bytes.buffer);
  }

  async #need(count: number): Promise<void> {
    if (!(await this.#input.ensure(count))) throw cut("zstd");
  }
}
