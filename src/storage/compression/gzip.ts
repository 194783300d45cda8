import { PipelineError } from "../../errors.ts";
import { builtin, hasBuiltin } from "../../runtime/runtime.ts";
import { type ByteReader, byteReaderOf } from "../byte-reader.ts";
import type { ByteInput } from "./byte-input.ts";
import { Inflate } from "./inflate.ts";
import { corrupt, cut } from "./problems.ts";

const FLAG = { headerChecksum: 2, extra: 4, name: 8, comment: 16 } as const;

/** Decompresses all gzip members of a file (RFC 1952), and checks the checksum and length of each. */
export function gunzip(input: ByteInput, source: ByteReader): ByteReader {
  return hasBuiltin("zlib") ? new GzipReader(input, source) : browserGunzip(input, source);
}

class GzipReader implements ByteReader {
  readonly #input: ByteInput;
  readonly #source: ByteReader;
  readonly #warnings: string[] = [];
  readonly #crc32 = builtin("zlib").crc32;
  #member: Inflate | undefined;
  #crc = 0;
  #length = 0;
  #members = 0;
  #isDone = false;

  constructor(input: ByteInput, source: ByteReader) {
    this.#input = input;
    this.#source = source;
  }

  get warnings(): readonly string[] {
    return [...this.#warnings, ...(this.#source.warnings ?? [])];
  }

  async read(into: Uint8Array): Promise<number> {
    while (!this.#isDone) {
      if (this.#member === undefined) {
        this.#isDone = !(await this.#openMember());
        continue;
      }
      const count = await this.#member.read(into).catch((cause: unknown) => {
        throw cause instanceof PipelineError || !isZlibError(cause)
          ? cause
          : corrupt("gzip", "its data does not decode", cause);
      });
      if (count === "cut") throw cut("gzip");
      if (count > 0) {
        this.#crc = this.#crc32(into.subarray(0, count), this.#crc);
        this.#length = (this.#length + count) >>> 0;
        return count;
      }
      this.#member = undefined;
      await this.#checkTrailer();
    }
    return 0;
  }

  async close(): Promise<void> {
    this.#isDone = true;
    this.#member?.close();
    await this.#source.close();
  }

  /** Reads a member's header; false at the end of the file, or of what is gzip in it. */
  async #openMember(): Promise<boolean> {
    const input = this.#input;
    if (!(await input.ensure(1)) && this.#members > 0) return false;
    const isWhole = await input.ensure(10);
    const { buffer, at, end } = input;
    const isGzip = [0x1f, 0x8b, 8].every((byte, i) => at + i >= end || buffer[at + i] === byte);
    if (!isGzip) {
      if (this.#members === 0) throw corrupt("gzip", "its compression method is unknown");
      this.#warnings.push("bytes behind the last gzip member are not read");
      return false;
    }
    if (!isWhole) throw cut("gzip");
    const flags = buffer[at + 3]!;
    input.at += 10;
    if (flags & FLAG.extra) {
      await this.#need(2);
      const length = input.buffer[input.at]! | (input.buffer[input.at + 1]! << 8);
      await this.#need(2 + length);
      input.at += 2 + length;
    }
    if (flags & FLAG.name) await this.#passText();
    if (flags & FLAG.comment) await this.#passText();
    if (flags & FLAG.headerChecksum) {
      await this.#need(2);
      input.at += 2;
    }
    this.#member = new Inflate(input);
    this.#members++;
    this.#crc = this.#length = 0;
    return true;
  }

  async #checkTrailer(): Promise<void> {
    await this.#need(8);
    const input = this.#input;
    const trailer = new DataView(input.buffer.buffer, input.buffer.byteOffset + input.at, 8);
    input.at += 8;
    if (trailer.getUint32(0, true) !== this.#crc >>> 0) throw corrupt("gzip", "its checksum is wrong");
    if (trailer.getUint32(4, true) !== this.#length) throw corrupt("gzip", "its length is wrong");
  }

  async #need(count: number): Promise<void> {
    if (!(await this.#input.ensure(count))) throw cut("gzip");
  }

  async #passText(): Promise<void> {
    do await this.#need(1);
    while (this.#input.buffer[this.#input.at++] !== 0);
  }
}

function isZlibError(cause: unknown): boolean {
  return cause instanceof Error && /^Z_/.test((cause as { code?: string }).code ?? "Z_");
}

/** Browsers have one decoder: it reads one member, checks it, and does not tell a cut from damage. */
function browserGunzip(input: ByteInput, source: ByteReader): ByteReader {
  const compressed = new ReadableStream<BufferSource>({
    async pull(controller) {
      if (!(await input.ensure(1))) return controller.close();
      controller.enqueue(input.buffer.slice(input.at, input.end) as Uint8Array<ArrayBuffer>);
      input.at = input.end;
    },
  });
  const reader = byteReaderOf(compressed.pipeThrough(new DecompressionStream("gzip")));
  return {
    read: (into) =>
      reader.read(into).catch((cause: unknown) => {
        throw cause instanceof TypeError ? corrupt("gzip", "it is damaged or cut", cause) : cause;
      }),
    async close() {
      await reader.close();
      await source.close();
    },
  };
}
