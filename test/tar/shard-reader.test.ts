import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PipelineError } from "../../src/errors.ts";
import { ShardReader } from "../../src/tar/shard-reader.ts";
import { concat, makeHeader, makeMember, makeTar } from "./make-tar.ts";
import { memoryReader, readAll } from "./read-all.ts";

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes);
const MODES = ["msgpack", "files"] as const;

describe("ShardReader, every cut of a shard", () => {
  const shards: Readonly<Record<string, Uint8Array>> = {
    "plain members": makeTar({ "a.msgpack": "1", "b.msgpack": "x".repeat(600), "c.msgpack": "" }),
    "several files a sample": makeTar({ "a.msgpack": "1", "a.txt": "t", "b.txt": "t", "b.msgpack": "2", "c.txt": "3" }),
    "a pax header before each member": makeTar({ "é.msgpack": "1", "ü.msgpack": "2" }),
    "pax records of other things": concat([
      pax("21 mtime=1234567.125\n"),
      makeMember("a.msgpack", Uint8Array.of(1, 2, 3)),
      new Uint8Array(1024),
    ]),
    "zero filling": concat([makeTar({ "a.msgpack": "1" }), new Uint8Array(2048)]),
  };

  test.each(Object.entries(shards))("is found in a shard of %s", async (_, shard) => {
    const filling = shard.length - endOfMarker(shard);
    for (const members of MODES) {
      const whole = await readAll(memoryReader(shard), { members });
      expect(whole.error).toBeUndefined();
      for (let length = 0; length < shard.length; length++) {
        const result = await readAll(memoryReader(shard.subarray(0, length), { piece: 700 }), {
          members,
          windowBytes: 1024,
        });
        if (length >= shard.length - filling) {
          expect(result, `${members} ${length}`).toMatchObject({ keys: whole.keys, error: undefined });
        } else {
          expect(result.error?.code, `${members} ${length}`).toBe("SHARD_TRUNCATED");
          expect(whole.keys.slice(0, result.keys.length)).toEqual(result.keys);
          expect(result.error?.facts.key).toBe(result.keys.at(-1));
          for (const [i, sample] of result.samples.entries()) {
            if (members === "msgpack") expect(sample.data).toEqual(whole.samples[i]!.data);
          }
        }
      }
    }
  });

  test("in files mode an open group is given only with a whole msgpack file", async () => {
    const shard = makeTar({ "a.txt": "t", "a.msgpack": "1", "a.jpg": "j", "b.txt": "t", "b.msgpack": "2" });
    const keysAfter = async (members: number): Promise<readonly string[]> =>
      (await readAll(memoryReader(shard.subarray(0, members * 1024)), { members: "files" })).keys;
    expect(await keysAfter(1)).toEqual([]);
    expect(await keysAfter(2)).toEqual(["a"]);
    expect(await keysAfter(4)).toEqual(["a"]);
    expect(await keysAfter(5)).toEqual(["a", "b"]);
  });
});

describe("ShardReader, end of a shard", () => {
  const cut = makeTar({ "a.msgpack": "1" }, 0);

  test("without a marker is fine where it is optional", async () => {
    for (const end of [0, 100, 512, 700]) {
      const shard = makeTar({ "a.msgpack": "1" }, end);
      expect(await readAll(memoryReader(shard), { endMarker: "optional" })).toMatchObject({
        keys: ["a"],
        error: undefined,
      });
    }
  });

  test("inside a member is a cut even where the marker is optional", async () => {
    for (const length of [0, 100, 512, 513, 1000]) {
      const { error } = await readAll(memoryReader(cut.subarray(0, length)), { endMarker: "optional" });
      expect(error?.code).toBe("SHARD_TRUNCATED");
    }
  });

  test("behind a pax header is a cut even where the marker is optional", async () => {
    const shard = makeTar({ "é.msgpack": "1" }, 0).subarray(0, 1024);
    expect((await readAll(memoryReader(shard), { endMarker: "optional" })).error?.code).toBe("SHARD_TRUNCATED");
  });

  test("without a marker is fine where somebody vouches for the size", async () => {
    expect((await readAll(memoryReader(cut, { size: cut.length }))).error).toBeUndefined();
    expect((await readAll(memoryReader(cut, { size: cut.length + 512 }))).error?.code).toBe("SHARD_TRUNCATED");
    const shorter = cut.subarray(0, 900);
    expect((await readAll(memoryReader(shorter, { size: 900 }))).error?.code).toBe("SHARD_TRUNCATED");
  });

  test("is undefined once an error was thrown, and after close()", async () => {
    const reader = new ShardReader(memoryReader(cut), { url: "x.tar" });
    expect((await reader.read(9))?.length).toBe(1);
    await expect(reader.read(9)).rejects.toThrow(/end marker/);
    expect(await reader.read(9)).toBeUndefined();
    const closed = new ShardReader(memoryReader(makeTar({ "a.msgpack": "1" })), { url: "x.tar" });
    await closed.close();
    await closed.close();
    expect(await closed.read(9)).toBeUndefined();
  });
});

describe("ShardReader, hostile headers", () => {
  const good = makeMember("a.msgpack", new Uint8Array(3));
  const errorAfter = async (...pieces: Uint8Array[]): Promise<PipelineError | undefined> =>
    (await readAll(memoryReader(concat([good, ...pieces, new Uint8Array(1024)])))).error;

  test("a size that lies allocates no more than what came", async () => {
    const lying = concat([makeHeader("a.msgpack", { size: "17700000000\0" }), new Uint8Array(100_000)]);
    let largest = 0;
    const source = memoryReader(lying);
    const reader = new ShardReader(
      {
        ...source,
        read: (into) => {
          largest = Math.max(largest, into.byteOffset + into.length);
          return source.read(into);
        },
      },
      { url: "x.tar", windowBytes: 4096 },
    );
    await expect(reader.read(1)).rejects.toMatchObject({ code: "SHARD_TRUNCATED" });
    expect(largest).toBeLessThan(300_000);
  });

  test("members that are passed over may be larger than the window, and than memory", async () => {
    const big = makeMember("notes.txt", new Uint8Array(100_000));
    const shard = concat([
      good,
      big,
      makeMember("notes2", new Uint8Array(50_000)),
      makeMember("b.msgpack", new Uint8Array(9)),
      new Uint8Array(1024),
    ]);
    const result = await readAll(memoryReader(shard, { piece: 3000 }), { windowBytes: 1024 });
    expect(result.error).toBeUndefined();
    expect(result.samples.map(({ key, data }) => [key, data?.length])).toEqual([
      ["a", 3],
      ["notes", undefined],
      ["b", 9],
    ]);
    const huge = concat([good, makeHeader("c.txt", { size: "77777777777\0" }), new Uint8Array(5000)]);
    expect((await readAll(memoryReader(huge), { windowBytes: 1024 })).error?.code).toBe("SHARD_TRUNCATED");
  });

  test.each<[string, () => Uint8Array, RegExp]>([
    ["a negative size", () => makeHeader("b.msgpack", { size: new Uint8Array(12).fill(0xff) }), /negative size/],
    ["a size of letters", () => makeHeader("b.msgpack", { size: "0000000000x\0" }), /size that is no number/],
    [
      "a size with a strange first byte",
      () => makeHeader("b.msgpack", { size: new Uint8Array(12).fill(0x90) }),
      /no number/,
    ],
    ["a wrong checksum", () => makeHeader("b.msgpack", { checksum: "000001\0 " }), /offset 1024 has a wrong checksum/],
    [
      "a pax header of 2 GiB",
      () => makeHeader("p", { type: "x", size: "20000000000\0" }),
      /has 2147483648 bytes, more than/,
    ],
    ["a GNU name of 2 MiB", () => makeHeader("p", { type: "L", size: "00010000000\0" }), /more than 1048576/],
    ["a pax record without a length", () => pax("path=x\n"), /without a length/],
    ["a pax record that is too long", () => pax("99 path=x\n"), /wrong length/],
    ["a pax record that ends elsewhere", () => pax("9 path=xyz\n"), /wrong length/],
    ["a pax record without =", () => pax("9 pathxx\n"), /without "="/],
    ["a pax size of letters", () => pax("12 size=abc\n"), /no number/],
    [
      "zeros behind a pax header",
      () => concat([pax("10 mtime=\n"), new Uint8Array(512)]),
      /is zero, behind an extended header/,
    ],
  ])("%s is damage, behind the good samples", async (_, make, words) => {
    const error = await errorAfter(make());
    expect(error?.code).toBe("SHARD_CORRUPT");
    expect(error?.message).toMatch(words);
    expect(error?.message).toMatch(/behind sample "a"/);
    expect(error?.facts).toMatchObject({ url: "shard.tar", key: "a", offset: expect.any(Number) });
  });

  test("sparse files are refused, not misread", async () => {
    expect((await errorAfter(makeHeader("b.msgpack", { type: "S" })))?.code).toBe("UNSUPPORTED");
    const sparse = concat([pax("22 GNU.sparse.major=1\n"), makeMember("b.msgpack", new Uint8Array(3))]);
    expect((await errorAfter(sparse))?.code).toBe("UNSUPPORTED");
  });

  test.each([
    ['{"error":"no"}', "JSON"],
    ["\n<!DOCTYPE html>", "an HTML page"],
    ["version https://git-lfs.github.com/spec/v1\noid sha256:1", "a Git LFS pointer"],
    ["PK\u0003\u0004", "a ZIP file"],
  ])("%j is told for what it is", async (content, what) => {
    for (const length of [content.length, 2000]) {
      const bytes = new Uint8Array(length);
      bytes.set(new TextEncoder().encode(content));
      const { error } = await readAll(memoryReader(bytes));
      expect(error).toMatchObject({
        code: "SHARD_CORRUPT",
        message: `Cannot read "shard.tar": it looks like ${what}, which is no tar`,
      });
    }
  });

  test("names that no one would choose do no harm", async () => {
    const names = [
      "toString.msgpack",
      "__proto__.msgpack",
      "constructor.msgpack",
      "../../etc/passwd.msgpack",
      `${"n".repeat(20_000)}.msgpack`,
    ];
    expect((await readAll(memoryReader(makeTar(names.map((name) => [name, "1"] as const))))).keys).toEqual(
      names.map((name) => name.slice(0, -8)),
    );
  });

  test("secrets in the address stay out of the message", async () => {
    const { error } = await readAll(memoryReader(new Uint8Array(0)), {
      url: "https://me:secret@host/a.tar?sig=secret",
    });
    expect(JSON.stringify([error!.message, error!.facts])).not.toMatch(/secret/);
  });
});

describe("ShardReader, names and groups", () => {
  const bytesOf = (name: readonly number[]): Uint8Array => {
    const header = makeHeader("", { size: "00000000000\0" });
    header.set(name);
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    return header;
  };

  test("bytes that are no UTF-8 become lone surrogates, as in Python", async () => {
    const extension = [...new TextEncoder().encode(".msgpack")];
    const names: number[][] = [
      [0xe1],
      [0x61, 0xc3, 0xa9, 0xff],
      [0xed, 0xa0, 0x80],
      [0xe2, 0x82, 0x41],
      [0xf0, 0x9f, 0x98, 0x80],
    ];
    const shard = concat([...names.map((name) => bytesOf([...name, ...extension])), new Uint8Array(1024)]);
    expect((await readAll(memoryReader(shard))).keys).toEqual([
      "\udce1",
      "aé\udcff",
      "\udced\udca0\udc80",
      "\udce2\udc82A",
      "😀",
    ]);
  });

  test.each<[name: string, key: string | undefined, extension?: string]>([
    ["a.msgpack", "a", "msgpack"],
    ["./a.b.C", "./a", "b.c"],
    ["d.e/f.g", "d.e/f", "g"],
    ["noext", undefined],
    [".hidden.msgpack", undefined],
    ["dir/.hidden.x", "dir/", "hidden.x"],
    ["d.e/.hidden", undefined],
    ["d.e/f/.hidden", "d.e/f/", "hidden"],
    ["/.x", "/", "x"],
    ["a.", "a", ""],
    ["a..x", "a", ".x"],
    ["__meta__", undefined],
    ["__meta__/a.x", undefined],
    ["____/a.x", undefined],
    ["__a_/b.x", "__a_/b", "x"],
    ["__a__.x", "__a__", "x"],
    ["___/a.x", "___/a", "x"],
    ["x/__a__/b.x", "x/__a__/b", "x"],
  ])("%s", async (name, key, extension) => {
    const { samples } = await readAll(memoryReader(makeTar({ [name]: "1" })), { members: "files" });
    expect(samples.map((sample) => [sample.key, ...Object.keys(sample.parts!)])).toEqual(
      key === undefined ? [] : [[key, extension]],
    );
  });

  test("files of a sample that comes in pieces stay together", async () => {
    const members = {
      "a.txt": "t".repeat(3000),
      README: "r".repeat(5000),
      "a.jpg": "j".repeat(2000),
      "a.msgpack": "m",
      "b.txt": "u",
    };
    for (const piece of [1, 511, 4096]) {
      const { samples, error } = await readAll(memoryReader(makeTar(members), { piece }), {
        members: "files",
        windowBytes: 1024,
      });
      expect(error).toBeUndefined();
      expect(
        samples.map(({ key, parts, data }) => [
          key,
          Object.entries(parts!).map(([name, part]) => [name, text(part)]),
          text(data),
        ]),
      ).toEqual([
        [
          "a",
          [
            ["txt", "t".repeat(3000)],
            ["jpg", "j".repeat(2000)],
            ["msgpack", "m"],
          ],
          "m",
        ],
        ["b", [["txt", "u"]], undefined],
      ]);
    }
  });

  test("keys stay as they are when reading goes on", async () => {
    const shard = makeTar(Array.from({ length: 50 }, (_, i) => [`key-${i}.msgpack`, "x".repeat(700)] as const));
    const reader = new ShardReader(memoryReader(shard), { url: "x.tar", windowBytes: 2048 });
    const all = [];
    for (let records = await reader.read(7); records !== undefined; records = await reader.read(7))
      all.push(records.keys);
    expect(all.flatMap((keys) => Array.from({ length: keys.length }, (_, i) => keys.at(i)))).toEqual(
      Array.from({ length: 50 }, (_, i) => `key-${i}`),
    );
  });
});

describe("ShardReader.skip()", () => {
  const members = [...Array(20).keys()].flatMap(
    (i) => (i % 4 === 3 ? [[`${i}.txt`, "t"]] : [[`${i}.msgpack`, `${i}`]]) as [string, string][],
  );

  test("then read() is read() from there on, faults included", async () => {
    for (const mode of MODES) {
      const whole = await readAll(memoryReader(makeTar(members)), { members: mode });
      for (let count = 0; count <= 21; count++) {
        const source = memoryReader(makeTar(members), { piece: 900 });
        const reader = new ShardReader(source, { url: "x.tar", members: mode, windowBytes: 1024 });
        expect(await reader.skip(count)).toBe(Math.min(count, 20));
        const rest: string[] = [];
        for (let records = await reader.read(3); records !== undefined; records = await reader.read(3)) {
          for (let i = 0; i < records.length; i++) rest.push(records.keys.at(i));
        }
        expect(rest).toEqual(whole.keys.slice(count));
      }
    }
  });

  test("counts what came before an error, which the next call throws", async () => {
    const shard = makeTar(members).subarray(0, 5 * 1024 + 100);
    const reader = new ShardReader(memoryReader(shard), { url: "x.tar" });
    expect(await reader.skip(100)).toBe(5);
    await expect(reader.skip(1)).rejects.toMatchObject({ code: "SHARD_TRUNCATED" });
    expect(await reader.skip(1)).toBe(0);
  });
});

describe("ShardReader, faults of the source", () => {
  test("come behind the samples that are whole, with the shard and the key", async () => {
    const shard = makeTar({ "a.msgpack": "1", "b.msgpack": "2" });
    const source = memoryReader(shard.subarray(0, 1500));
    const failing = {
      ...source,
      read: async (into: Uint8Array) => {
        const count = await source.read(into);
        if (count === 0) throw new PipelineError("SHARD_UNREADABLE", "the connection failed");
        return count;
      },
    };
    const { keys, error } = await readAll(failing);
    expect(keys).toEqual(["a"]);
    expect(error).toMatchObject({ code: "SHARD_UNREADABLE", facts: { url: "shard.tar", key: "a", offset: 1024 } });
  });

  test("an abort comes through as it is", async () => {
    const reason = new Error("enough");
    const reader = new ShardReader({ read: () => Promise.reject(reason), close: async () => {} }, { url: "x.tar" });
    await expect(reader.read(1)).rejects.toBe(reason);
    expect(await reader.read(1)).toBeUndefined();
  });

  test("a cut in the filling behind the marker costs nothing", async () => {
    const source = memoryReader(makeTar({ "a.msgpack": "1" }));
    const failing = {
      ...source,
      read: async (into: Uint8Array) => {
        const count = await source.read(into);
        if (count === 0) throw new PipelineError("SHARD_TRUNCATED", "the body ended");
        return count;
      },
    };
    expect(await readAll(failing)).toMatchObject({
      keys: ["a"],
      error: undefined,
      warnings: ["the filling behind the end marker is cut"],
    });
  });
});

describe("ShardReader, any members", () => {
  const part = fc.constantFrom("msgpack", "txt", "seg.png");
  const member = fc.record({
    key: fc.constantFrom("a", "b", "dir/c", "é", "n".repeat(150)),
    part,
    size: fc.integer({ min: 0, max: 1500 }),
  });

  test("are grouped alike however the bytes come", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(member, { maxLength: 12 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 5 }),
        async (list, piece, max) => {
          const shard = makeTar(
            list.map(({ key, part: name, size }, i) => [`${key}.${name}`, new Uint8Array(size).fill(i + 1)] as const),
          );
          for (const members of MODES) {
            const whole = await readAll(memoryReader(shard), { members }, 1000);
            const pieces = await readAll(memoryReader(shard, { piece }), { members, windowBytes: 512 }, max);
            expect(pieces).toEqual(whole);
            expect(whole.error).toBeUndefined();
          }
        },
      ),
      { seed: 7, numRuns: 60 },
    );
  });
});

function endOfMarker(shard: Uint8Array): number {
  let end = shard.length;
  while (end > 0 && shard.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  return end + 1024;
}

function block(content: string): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes.set(new TextEncoder().encode(content));
  return bytes;
}

function pax(content: string): Uint8Array {
  const size = `${content.length.toString(8).padStart(11, "0")}\0`;
  return concat([makeHeader("p", { type: "x", size }), block(content)]);
}
