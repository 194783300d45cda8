import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { unpackTar } from "modern-tar";
import { extract } from "tar-stream";
import { describe, expect, test } from "vitest";
import { checkKey, END_BLOCKS, headerSize, paddedSize, putHeader } from "../../src/tar/writer.ts";
import { makeTar } from "./make-tar.ts";
import { memoryReader, readAll } from "./read-all.ts";

const encoder = new TextEncoder();
const NAMES = [
  "a.msgpack",
  `${"n".repeat(92)}.msgpack`,
  `${"n".repeat(93)}.msgpack`,
  `${"d".repeat(120)}/${"f".repeat(60)}.msgpack`,
  `${"d".repeat(155)}/${"f".repeat(92)}.msgpack`,
  `${"d".repeat(156)}/${"f".repeat(92)}.msgpack`,
  `${"long/".repeat(40)}${"x".repeat(99)}.msgpack`,
  "ünï/码/😀.msgpack",
  `${"w".repeat(5000)}.msgpack`,
];
const MEMBERS = NAMES.map((name, i) => [name, new Uint8Array(i * 300).fill(i)] as const);
const TAR = makeTar(MEMBERS, END_BLOCKS);

describe("putHeader()", () => {
  test("is read back by this library", async () => {
    const { samples, error } = await readAll(memoryReader(TAR));
    expect(error).toBeUndefined();
    expect(samples.map(({ key, data }) => [`${key}.msgpack`, data])).toEqual(MEMBERS);
  });

  test("is read back by modern-tar", async () => {
    const entries = await unpackTar(TAR, { strict: true });
    expect(entries.map(({ header, data }) => [header.name, new Uint8Array(data ?? [])])).toEqual(MEMBERS);
    expect(entries[0]!.header).toMatchObject({ mode: 0o444, uid: 0, gid: 0 });
  });

  test("is read back by tar-stream", async () => {
    const found: [string, number][] = [];
    for await (const entry of Readable.from([TAR]).pipe(extract())) {
      entry.resume();
      found.push([entry.header.name, entry.header.size ?? 0]);
    }
    expect(found).toEqual(MEMBERS.map(([name, data]) => [name, data.length]));
  });

  test("is read back by the system's tar", () => {
    const folder = mkdtempSync(join(tmpdir(), "shardstream-"));
    try {
      const path = join(folder, "a.tar");
      writeFileSync(path, TAR);
      const names = execFileSync("tar", ["--quoting-style=literal", "-tf", path], {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C.UTF-8" },
      });
      expect(names.trimEnd().split("\n")).toEqual(NAMES);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("makes the same bytes every time, and one block for most names", () => {
    expect(makeTar(MEMBERS)).toEqual(TAR);
    expect(NAMES.map((name) => headerSize(encoder.encode(name)))).toEqual([
      512, 512, 1536, 512, 512, 1536, 1536, 1536, 6144,
    ]);
  });

  test("overwrites all of what lay there before", () => {
    for (const name of NAMES) {
      const bytes = encoder.encode(name);
      const dirty = new Uint8Array(headerSize(bytes)).fill(0xee);
      const clean = new Uint8Array(headerSize(bytes));
      putHeader(dirty, 0, bytes, 12345);
      putHeader(clean, 0, bytes, 12345);
      expect(dirty).toEqual(clean);
    }
  });

  test("writes sizes over 8 GiB in base-256", () => {
    const header = new Uint8Array(512);
    putHeader(header, 0, encoder.encode("a"), 8 ** 11 - 1);
    expect(new TextDecoder().decode(header.subarray(124, 135))).toBe("77777777777");
    putHeader(header, 0, encoder.encode("a"), 8 ** 11);
    expect([...header.subarray(124, 136)]).toEqual([0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
  });

  test("any key that checkKey() takes is read back as it was", async () => {
    const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 }).filter((text) => {
      try {
        checkKey(text);
        return true;
      } catch {
        return false;
      }
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(key, fc.uint8Array({ maxLength: 2000 })), { selector: ([text]) => text }),
        async (list) => {
          const shard = makeTar(list.map(([text, data]) => [`${text}.msgpack`, data] as const));
          const { samples, error } = await readAll(memoryReader(shard, { piece: 1000 }), { windowBytes: 1024 });
          expect(error).toBeUndefined();
          expect(samples.map((sample) => [sample.key, sample.data])).toEqual(list);
        },
      ),
      { seed: 11, numRuns: 60 },
    );
  });
});

describe("paddedSize()", () => {
  test("rounds up to whole blocks", () => {
    expect([0, 1, 511, 512, 513, 2 ** 40 + 1].map(paddedSize)).toEqual([0, 512, 512, 512, 1024, 2 ** 40 + 512]);
  });
});

describe("checkKey()", () => {
  test.each<[key: string, words: RegExp]>([
    ["", /the key is empty/],
    ["a.b", /a dot begins the file extension/],
    ["dir/.a", /a dot begins/],
    ["/a", /leaves its folder/],
    ["../a", /leaves its folder/],
    ["a/../b", /leaves its folder/],
    ["a\0b", /a NUL/],
    ["a/", /ends with a slash/],
    ["__meta__/a", /metadata/],
    ["a\ud800", /not well-formed/],
  ])("%j is refused", (key, words) => {
    expect(() => checkKey(key)).toThrow(
      expect.objectContaining({ code: "KEY_INVALID", message: expect.stringMatching(words), hint: expect.any(String) }),
    );
  });

  test("the key of the sample before is refused", () => {
    expect(() => checkKey("a", "a")).toThrow(/the sample before it has the same key/);
    expect(() => checkKey("a", "b")).not.toThrow();
  });

  test.each(["a", "d.e/f", "000123", "码/😀", "__a__", "a b", "-", "./a", "..a/b"])("%j is fine", (key) => {
    expect(() => checkKey(key)).not.toThrow();
  });
});
