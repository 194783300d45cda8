import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFile } from "../../src/storage/byte-writer.ts";
import { compressTo } from "../../src/storage/compression/compress.ts";
import { decompress } from "../../src/storage/compression/decompress.ts";
import { openBytes } from "../../src/storage/open.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shardstream-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("createFile()", () => {
  test("the file appears whole when it is committed, with its folders", async () => {
    const path = join(folder, "x/y/a.tar");
    const file = await createFile(path);
    const window = new Uint8Array(1000).fill(1);
    await file.write(window);
    window.fill(2);
    await file.write(window.subarray(0, 10));
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(join(folder, "x/y"))).toEqual([expect.stringMatching(/^\.a\.tar\.\w+-\d+-\d+\.partial$/)]);
    await file.commit();
    expect([...readFileSync(path)]).toEqual([...Array(1000).fill(1), ...Array(10).fill(2)]);
    expect(readdirSync(join(folder, "x/y"))).toEqual(["a.tar"]);
  });

  test("two writers of one name do not meet, and the later one is told when it must not replace", async () => {
    const path = join(folder, "a.tar");
    const [one, two] = [await createFile(path), await createFile(path)];
    await one.write(Uint8Array.of(1));
    await two.write(Uint8Array.of(2));
    await one.commit(false);
    await expect(two.commit(false)).rejects.toMatchObject({ code: "SHARD_UNWRITABLE" });
    await two.discard();
    expect([...readFileSync(path)]).toEqual([1]);
    expect(readdirSync(folder)).toEqual(["a.tar"]);
  });

  test("what is discarded leaves nothing", async () => {
    const path = join(folder, "a.tar");
    const file = await createFile(path);
    await file.write(Uint8Array.of(1));
    await file.commit();
    expect([...readFileSync(path)]).toEqual([1]);
    const second = await createFile(path);
    await second.write(Uint8Array.of(2, 3));
    await second.discard();
    await second.discard();
    expect(readdirSync(folder)).toEqual(["a.tar"]);
    expect([...readFileSync(path)]).toEqual([1]);
  });

  test("a place where no file can be is an error that says why", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(createFile(join(folder, "file/a.tar"))).rejects.toMatchObject({
      code: "SHARD_UNWRITABLE",
      hint: expect.any(String),
      cause: expect.any(Error),
    });
  });
});

describe("compressTo()", () => {
  test.each(["gzip", "zstd"] as const)("%s is read back, and its bytes are the same every time", async (kind) => {
    const write = async (name: string): Promise<Uint8Array> => {
      const file = compressTo(await createFile(join(folder, name)), kind);
      const window = new Uint8Array(100_000);
      for (let i = 0; i < 20; i++) await file.write(window.fill(i).map((byte, j) => byte + (j % 7)));
      expect(existsSync(join(folder, name))).toBe(false);
      await file.commit();
      return readFileSync(join(folder, name));
    };
    expect(await write("a")).toEqual(await write("b"));
    const reader = await decompress(await openBytes(join(folder, "a")));
    const window = new Uint8Array(100_000);
    let total = 0;
    for (let count = await reader.read(window); count > 0; count = await reader.read(window)) {
      for (let i = 0; i < count; i += 101, total) {
        const at = total + i;
        expect(window[i]).toBe(Math.floor(at / 100_000) + ((at % 100_000) % 7));
      }
      total += count;
    }
    expect(total).toBe(2_000_000);
    await reader.close();
  });

  test("a discarded one leaves nothing, and a failure behind it is told", async () => {
    const file = compressTo(await createFile(join(folder, "a")), "gzip");
    await file.write(new Uint8Array(10));
    await file.discard();
    expect(readdirSync(folder)).toEqual([]);
    const broken = new Error("the disk is full");
    const failing = compressTo(
      { write: () => Promise.reject(broken), finish: async () => {}, commit: async () => {}, discard: async () => {} },
      "gzip",
    );
    const written = (async () => {
      await failing.write(new Uint8Array(10));
      await failing.commit();
    })();
    await expect(written).rejects.toBe(broken);
  });
});
