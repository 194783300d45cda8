import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expandBraces } from "../../src/storage/braces.ts";
import { expandPattern } from "../../src/storage/patterns.ts";

interface Case {
  readonly input: string;
  readonly result?: string[] | { readonly count: number; readonly first: string[]; readonly last: string[] };
}

const { cases } = JSON.parse(
  readFileSync(new URL("../fixtures/atdata/vectors/brace_expansion.json", import.meta.url), "utf8"),
) as { cases: Case[] };

describe("expandBraces()", () => {
  test.each(cases.map(({ input, result }) => [input, result] as const))(
    "%j is expanded as in Python",
    (input, result) => {
      if (result === undefined) {
        expect(() => expandBraces(input)).toThrow(expect.objectContaining({ code: "PATTERN_INVALID" }));
      } else if (Array.isArray(result)) {
        expect(expandBraces(input)).toEqual(result);
      } else {
        const names = expandBraces(input);
        expect(names).toHaveLength(result.count);
        expect(names.slice(0, result.first.length)).toEqual(result.first);
        expect(names.slice(-result.last.length)).toEqual(result.last);
      }
    },
  );

  test.each([
    "{0..9999999999}",
    "{a..z}".repeat(6),
    "{1..1000}{1..1001}",
    `{${"{1..1000000},".repeat(20)}}`,
    `${"{".repeat(5000)}a,b${"}".repeat(5000)}`,
  ])("a bomb is refused", (pattern) => {
    expect(() => expandBraces(pattern)).toThrow(
      expect.objectContaining({ code: "PATTERN_INVALID", message: expect.stringMatching(/too many names/) }),
    );
  });

  test("a million names are fine", () => {
    expect(expandBraces("train-{000000..999999}.tar")).toHaveLength(1_000_000);
  });
});

describe("expandPattern()", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "shardstream-"));
    for (const name of [
      "b-1.tar",
      "a-1.tar",
      "a-2.tar",
      "a-10.tar.gz",
      ".hidden.tar",
      ".a-3.tar.partial",
      "notes.txt",
      "a-1.manifest.json",
      "é.tar",
      "Z.tar",
    ]) {
      writeFileSync(join(folder, name), "");
    }
    mkdirSync(join(folder, "empty"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const expand = async (pattern: string): Promise<string[]> =>
    (await expandPattern(`${folder}/${pattern}`)).map((path) => path.slice(folder.length + 1));

  test("plain names and addresses are taken as they are", async () => {
    expect(await expandPattern("missing-{0..1}.tar")).toEqual(["missing-0.tar", "missing-1.tar"]);
    expect(await expandPattern("https://h/{a,b}.tar?x=1*")).toEqual(["https://h/a.tar?x=1*", "https://h/b.tar?x=1*"]);
    expect(await expandPattern(["{a}", "s3://x", "*"])).toEqual(["{a}", "s3://x", "*"]);
  });

  test("* and ? match files that are not hidden, by the bytes of their names", async () => {
    expect(await expand("*.tar")).toEqual(["Z.tar", "a-1.tar", "a-2.tar", "b-1.tar", "é.tar"]);
    expect(await expand("?-?.tar")).toEqual(["a-1.tar", "a-2.tar", "b-1.tar"]);
    expect(await expand("{b,a}-*.tar")).toEqual(["b-1.tar", "a-1.tar", "a-2.tar"]);
    expect(await expandPattern(pathToFileURL(`${folder}/a-1.t*`).href.replace("%2A", "*"))).toEqual([
      join(folder, "a-1.tar"),
    ]);
  });

  test("a folder is its tars", async () => {
    const tars = ["Z.tar", "a-1.tar", "a-10.tar.gz", "a-2.tar", "b-1.tar", "é.tar"];
    expect(await expandPattern(folder)).toEqual(tars.map((name) => join(folder, name)));
  });

  test.each(["no-*.tar", "none/*.tar", "empty", "a{b"])("%s matches nothing, and says so", async (pattern) => {
    await expect(expand(pattern)).rejects.toMatchObject({ code: "PATTERN_INVALID", hint: expect.any(String) });
  });

  test.each(["s3://bucket/a.tar", "at://did/x/y", "pipe:cat a.tar", "gs://b/a.tar"])(
    "%s is not supported",
    async (pattern) => {
      await expect(expandPattern(pattern)).rejects.toMatchObject({ code: "UNSUPPORTED", hint: expect.any(String) });
    },
  );
});
