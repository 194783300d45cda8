import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ended, shardstream, startProcess } from "./run-process.ts";

const fixtures = "test/fixtures/atdata";
const expected = (folder: string) => JSON.parse(readFileSync(`${fixtures}/${folder}/expected.json`, "utf8"));
const linesOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("shardstream cat", () => {
  it("prints every sample in canonical JSON, with its key", async () => {
    const [{ dict, payloads }] = expected("primitives").shards;
    const { code, stdout, stderr } = await shardstream(["cat", `${fixtures}/primitives/data.tar`, "--json"]);
    const lines = linesOf(stdout);
    expect(lines.map(({ sample }) => sample)).toEqual(dict.samples);
    expect(lines.map(({ key }) => key)).toEqual(payloads.map(({ key }: { key: string }) => key));
    expect([code, stderr]).toEqual([0, ""]);
  });

  it("says in a line that the output is full", async () => {
    if (!existsSync("/dev/full")) return; // Linux has it
    const full = openSync("/dev/full", "w");
    const child = startProcess("src/cli/main.ts", ["cat", `${fixtures}/primitives/data.tar`], undefined, full);
    const { code, stderr } = await ended(child);
    closeSync(full);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^(Cannot print: the disk is full|No space left on device.*)\.\n$/);
  });

  it("keeps integers and floats apart, and maps in stored order, without a schema", async () => {
    const [{ dict }] = expected("dictsample").shards;
    const { stdout } = await shardstream(["cat", `${fixtures}/dictsample/data.tar`, "--json"]);
    expect(linesOf(stdout).map(({ sample }) => JSON.stringify(sample))).toEqual(
      dict.samples.map((sample: object) => JSON.stringify(sample)),
    );
  });

  it("reads the fields of a schema, up to a limit", async () => {
    const schema = expected("ndarrays").schema;
    const [{ typed }] = expected("ndarrays").shards;
    const file = join(await mkdtemp(join(tmpdir(), "shardstream-")), "schema.json");
    await writeFile(file, JSON.stringify(schema));
    const { code, stdout } = await shardstream([
      "cat",
      `${fixtures}/ndarrays/data.tar`,
      "--json",
      "--limit",
      "7",
      "--schema",
      file,
    ]);
    await rm(dirname(file), { recursive: true });
    expect(linesOf(stdout).map(({ sample }) => sample)).toEqual(typed.samples.slice(0, 7));
    expect(code).toBe(0);
  });

  it("decodes the files of classic samples by their extensions, or gives their bytes", async () => {
    const { decoded, shards } = expected("webdataset_classic");
    const shard = `${fixtures}/webdataset_classic/multi-000000.tar`;
    const values = linesOf((await shardstream(["cat", shard, "--json"])).stdout);
    expect(values.map(({ key, sample }) => ({ __key__: key, ...sample }))).toEqual(decoded);
    const raw = linesOf((await shardstream(["cat", shard, "--json", "--raw", "--limit", "1"])).stdout);
    expect(raw).toEqual([{ key: shards[0].webdataset.samples[0].key, sample: shards[0].webdataset.samples[0].fields }]);
  });

  it("prints readable lines otherwise", async () => {
    const { stdout } = await shardstream(["cat", `${fixtures}/lists/data.tar`, "--limit", "2"]);
    expect(stdout).toBe(
      `"6b7e6ecf-8467-11ee-8000-000000000000" {s: [], i: [], f: [], b: [], y: [], n: []}\n` +
        `"6b7ebcee-8467-11ee-8000-000000000000" {s: ["a", "é", "😀"], i: [0, -1, 9007199254740993, 18446744073709551615, ` +
        `-9223372036854775808], f: [0.5, 0, inf, nan], b: [true, false], y: [0 bytes, 1 bytes: ff], n: [[], [1], [2, 3]]}\n`,
    );
  });

  it("prints what it has, then fails, at a damaged sample", async () => {
    const { code, stdout, stderr } = await shardstream(["cat", `${fixtures}/corrupt/msgpack_truncated.tar`, "--json"]);
    expect(linesOf(stdout).map(({ key }) => key)).toEqual(["000"]);
    expect(stderr).toMatch(/^Cannot read .*"001".* Hint: .*\.\n$/);
    expect(code).toBe(1);
  });

  it("reads archives without an end marker when told so", async () => {
    const shard = `${fixtures}/tar_variants/no_eof_blocks.tar`;
    const { code, stderr } = await shardstream(["cat", shard, "--json"]);
    expect(stderr).toContain("--end-marker optional");
    expect(code).toBe(1);
    expect(await shardstream(["cat", shard, "--json", "--end-marker", "optional"])).toMatchObject({
      code: 0,
      stderr: "",
    });
  });
});
