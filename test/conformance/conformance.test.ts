import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProcess } from "../cli/run-process.ts";

const fixtures = fileURLToPath(new URL("../fixtures/atdata/", import.meta.url));
const conformance = (...args: string[]) => runProcess("scripts/conformance.ts", args);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shardstream-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A copy of a folder of shards with something changed in it. */
async function tampered(name: string, file: string, change: (text: string) => string): Promise<string> {
  const copy = join(folder, `${name}-${file}-${Math.random()}`);
  await cp(fixtures + name, copy, { recursive: true });
  const before = await readFile(join(copy, file), "latin1");
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(join(copy, file), after, "latin1");
  return copy;
}

describe("npm run conformance", () => {
  it("finds every shard that Python wrote equal to what Python reads", async () => {
    const { code, stdout } = await conformance("--shards", fixtures);
    const [, equal, total] = /^(\d+) of (\d+) equal\n$/m.exec(
      stdout.slice(stdout.lastIndexOf("\n", stdout.length - 2) + 1),
    )!;
    expect(stdout).not.toContain("differs");
    expect(equal).toBe(total);
    expect(Number(total)).toBeGreaterThan(600);
    expect(code).toBe(0);
  });

  it.each([
    [
      "a value",
      "primitives",
      "expected.json",
      (text: string) => text.replace('"$float": "8000000000000000"', '"$float": "0000000000000000"'),
      "dict",
    ],
    ["a payload", "dictsample", "data.tar", (text: string) => text.replace("\xa1", "\xa0"), "file"],
    [
      "a key",
      "keys",
      "expected.json",
      (text: string) => text.replace('"key": "000000"', '"key": "000001"'),
      "webdataset",
    ],
    [
      "a sample too many",
      "empty_shard",
      "expected.json",
      (text: string) => text.replace(/"whole":[^[]*\[/, "$&{},"),
      "whole",
    ],
    [
      "an error that did not happen",
      "dictsample",
      "expected.json",
      (text: string) => text.replace('"error": null', '"error": "no"'),
      "webdataset",
    ],
  ])("tells of %s that differs", async (_what, name, file, change, check) => {
    const { code, stdout } = await conformance("--shards", await tampered(name, file, change));
    expect(stdout).toMatch(new RegExp(`^first that differs: .*, ${check}\n  expected .*\n  got `, "m"));
    expect(stdout).toMatch(/^\d+ of \d+ equal\n$/m);
    expect(code).toBe(1);
  });

  it("reads a single folder", async () => {
    const { code, stdout } = await conformance("--shards", `${fixtures}lists`);
    expect(stdout).toBe("lists: 8 of 8 equal\n8 of 8 equal\n");
    expect(code).toBe(0);
  });

  it("fails where there is nothing to compare, and where it is called wrongly", async () => {
    expect(await conformance("--shards", `${fixtures}vectors`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no expected.json"),
    });
    expect(await conformance("--feature-graph")).toMatchObject({ code: 2, stderr: expect.stringContaining("usage:") });
    expect(await conformance()).toMatchObject({ code: 2 });
  });
});
