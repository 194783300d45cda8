import type { ByteReader } from "../byte-reader.ts";
import { ByteInput } from "./byte-input.ts";

type Decoder = (input: ByteInput, source: ByteReader) => ByteReader | Promise<ByteReader>;

/** By the first bytes. Each decoder is loaded when it is needed. */
const DECODERS: readonly (readonly [magic: readonly number[], load: () => Promise<Decoder>])[] = [
  [[0x1f, 0x8b], async () => (await import("./gzip.ts")).gunzip],
  [[0x28, 0xb5, 0x2f, 0xfd], async () => (await import("./zstd.ts")).unzstd],
  [[0x42, 0x5a, 0x68], async () => (await import("./bzip2.ts")).bunzip2],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], async () => (await import("./xz.ts")).unxz],
];

/**
 * Decompresses gzip, zstd, bzip2 and xz, told by the first bytes and not by any name; other bytes come out as they are.
 * Errors of the data come after all bytes before them: `SHARD_CORRUPT` for damage, `SHARD_TRUNCATED` for a cut.
 *
 * When it fails, the reader is closed.
 *
 * @throws {PipelineError} `NOT_INSTALLED` if a decoder is a package that is not there.
 * @example
 * ```ts
 * const reader = await decompress(await openBytes("train.tar.gz"));
 * ```
 */
export async function decompress(reader: ByteReader): Promise<ByteReader> {
  try {
    const input = new ByteInput(reader);
    await input.ensure(6);
    const found = DECODERS.find(([magic]) => magic.every((byte, i) => i < input.end && input.buffer[i] === byte));
    if (found === undefined) return untouched(input, reader);
    const decompressed = await (await found[1]())(input, reader);
    return Object.assign(decompressed, { isCompressed: true });
  } catch (error) {
    // The caller has nothing in hand yet that it could close.
    await reader.close();
    throw error;
  }
}

/** The reader from its first byte on: what was looked at comes first, and the rest goes straight to the caller. */
function untouched(input: ByteInput, source: ByteReader): ByteReader {
  return {
    ...(source.size !== undefined && { size: source.size }),
    get warnings() {
      return source.warnings ?? [];
    },
    async read(into) {
      const count = Math.min(input.end - input.at, into.length);
      if (count === 0) return source.read(into);
      into.set(input.buffer.subarray(input.at, input.at + count));
      input.at += count;
      return count;
    },
    ...(source.skip && {
      async skip(count: number) {
        const held = Math.min(input.end - input.at, count);
        input.at += held;
        return held === count ? held : held + (await source.skip!(count - held));
      },
    }),
    close: () => source.close(),
  };
}
