import { readFileSync } from "node:fs";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { PipelineError } from "../../src/errors.ts";
import { decompress } from "../../src/storage/compression/decompress.ts";
import { concat } from "../tar/make-tar.ts";
import { memoryReader } from "../tar/read-all.ts";

/** Bytes with some order in them, the same every time. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 24) & 15;
  });
}

interface Outcome {
  readonly bytes: Uint8Array;
  readonly code: string | undefined;
  readonly warnings: readonly string[];
}

async function unpack(compressed: Uint8Array, piece = 1 << 20): Promise<Outcome> {
  const reader = await decompress(memoryReader(compressed, { piece }));
  const chunks: Uint8Array[] = [];
  const window = new Uint8Array(50_000);
  let code: string | undefined;
  try {
    for (let count = await reader.read(window); count > 0; count = await reader.read(window))
      chunks.push(window.slice(0, count));
  } catch (error) {
    code = (error as PipelineError).code;
  }
  await reader.close();
  return { bytes: concat(chunks), code, warnings: reader.warnings ?? [] };
}

const PLAIN = noise(200_000);
const MORE = noise(3000);
const FIXTURES = new URL("../fixtures/atdata/compressed/", import.meta.url);
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, FIXTURES)));
const changed = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === (at + bytes.length) % bytes.length ? byte ^ 0x55 : byte));

const CHECKSUM = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const KINDS: Readonly<
  Record<string, { whole: Uint8Array; plain: Uint8Array; second: Uint8Array; secondPlain: Uint8Array }>
> = {
  gzip: {
    whole: new Uint8Array(gzipSync(PLAIN)),
    plain: PLAIN,
    second: new Uint8Array(gzipSync(MORE)),
    secondPlain: MORE,
  },
  zstd: {
    whole: new Uint8Array(zstdCompressSync(PLAIN, CHECKSUM)),
    plain: PLAIN,
    second: new Uint8Array(zstdCompressSync("hello")),
    secondPlain: new TextEncoder().encode("hello"),
  },
  bzip2: {
    whole: fixture("bzip2.tar.bz2"),
    plain: fixture("plain_named_gz.tar.gz"),
    second: fixture("bzip2.tar.bz2"),
    secondPlain: fixture("plain_named_gz.tar.gz"),
  },
  xz: {
    whole: fixture("xz.tar.xz"),
    plain: fixture("plain_named_gz.tar.gz"),
    second: fixture("xz.tar.xz"),
    secondPlain: fixture("plain_named_gz.tar.gz"),
  },
};

describe.each(Object.entries(KINDS))("decompress() of %s", (kind, { whole, plain, second, secondPlain }) => {
  test("gives the bytes, however they come", async () => {
    for (const piece of [1 << 20, 1000, 7])
      expect(await unpack(whole, piece)).toEqual({ bytes: plain, code: undefined, warnings: [] });
  });

  test("reads all that are joined in one file", async () => {
    for (const piece of [1 << 20, 100]) {
      expect(await unpack(concat([whole, second, second]), piece)).toEqual({
        bytes: concat([plain, secondPlain, secondPlain]),
        code: undefined,
        warnings: [],
      });
    }
  });

  test("a cut is told, behind the bytes before it", async () => {
    const lengths = [6, 20, whole.length >> 1, whole.length - 9, whole.length - 4, whole.length - 1];
    for (const piece of [1 << 20, 999]) {
      for (const length of lengths) {
        const { bytes, code } = await unpack(whole.subarray(0, length), piece);
        expect(code, `${length}`).toBe("SHARD_TRUNCATED");
        expect(plain.subarray(0, bytes.length)).toEqual(bytes);
      }
    }
    expect((await unpack(concat([whole, second.subarray(0, second.length - 3)]))).code).toBe("SHARD_TRUNCATED");
  });

  test("damage never passes in silence", async () => {
    for (const at of [12, whole.length >> 1, (whole.length * 3) >> 2]) {
      const { bytes, code } = await unpack(changed(whole, at));
      const isWhole = bytes.length === plain.length && bytes.every((byte, i) => byte === plain[i]);
      if (!isWhole) expect(code, `${at}`).toMatch(/^SHARD_(CORRUPT|TRUNCATED)$/);
    }
  });

  test("bytes behind it are not read, and reported", async () => {
    for (const piece of [1 << 20, 100]) {
      const { bytes, code, warnings } = await unpack(concat([whole, new TextEncoder().encode("garbage!")]), piece);
      expect(bytes).toEqual(plain);
      // The decoder of xz takes them for damage: an error, behind all bytes before.
      if (kind === "xz") expect(code).toMatch(/^SHARD_(CORRUPT|TRUNCATED)$/);
      else expect(code).toBeUndefined();
      expect(warnings).toHaveLength(kind === "xz" ? 0 : 1);
    }
  });
});

describe("decompress()", () => {
  test("checks the checksum and the length of gzip", async () => {
    const whole = KINDS.gzip!.whole;
    for (const at of [-6, -1])
      expect(await unpack(changed(whole, at))).toEqual({ bytes: PLAIN, code: "SHARD_CORRUPT", warnings: [] });
  });

  test("reads all optional fields of a gzip header", async () => {
    const whole = KINDS.gzip!.whole;
    const header = Uint8Array.of(
      0x1f,
      0x8b,
      8,
      2 | 4 | 8 | 16,
      0,
      0,
      0,
      0,
      0,
      3,
      3,
      0,
      1,
      2,
      3,
      0x61,
      0x62,
      0,
      0x63,
      0,
      9,
      9,
    );
    for (const piece of [1, 1 << 20])
      expect((await unpack(concat([header, whole.subarray(10)]), piece)).bytes).toEqual(PLAIN);
  });

  test("passes over skippable frames of zstd, and refuses windows that are too large", async () => {
    const { whole } = KINDS.zstd!;
    const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    expect((await unpack(concat([whole, skippable, whole]), 5)).bytes).toEqual(concat([PLAIN, PLAIN]));
    const greedy = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0);
    expect((await unpack(greedy)).code).toBe("SHARD_CORRUPT");
  });

  test("other bytes come out as they are, with their size", async () => {
    for (const bytes of [PLAIN, new Uint8Array(0), Uint8Array.of(0x1f), new TextEncoder().encode("BZ")]) {
      expect((await unpack(bytes, 1000)).bytes).toEqual(bytes);
      expect((await decompress(memoryReader(bytes, { size: bytes.length }))).size).toBe(bytes.length);
    }
  });

  test("gives no size for what it decompresses, and reads no further ahead than it must", async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(50_000_000)));
    let read = 0;
    const source = memoryReader(bomb, { size: bomb.length, piece: 500 });
    const reader = await decompress({
      ...source,
      read: async (into) => {
        const count = await source.read(into);
        read += count;
        return count;
      },
    });
    expect(reader.size).toBeUndefined();
    expect(await reader.read(new Uint8Array(1000))).toBe(1000);
    expect(read).toBeLessThan(2000);
    await reader.close();
  });
});
