import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ended, shardstream, startProcess } from "./run-process.ts";

const fixtures = "test/fixtures/atdata";
const schema = {
  name: "Point",
  version: "1.0.0",
  fields: [
    { name: "label", fieldType: { $type: "local#primitive", primitive: "str" }, optional: false },
    { name: "x", fieldType: { $type: "local#primitive", primitive: "float" }, optional: true },
  ],
};
let folder: string;
let schemaFile: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shardstream-"));
  schemaFile = join(folder, "schema.json");
  await writeFile(schemaFile, JSON.stringify(schema));
});
afterEach(() => rm(folder, { recursive: true }));

const json = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const write = (lines: readonly unknown[], ...args: string[]) =>
  shardstream(["write", "-", "--schema", schemaFile, "--out", join(folder, "out-%06d.tar"), ...args], {
    input: lines.map((line) => JSON.stringify(line)).join("\n"),
  });
const cat = async (pattern: string) => json((await shardstream(["cat", join(folder, pattern), "--json"])).stdout);

describe("shardstream write", () => {
  it.each(["primitives", "lists", "optional", "ndarrays"])(
    "makes of what `cat` prints the shard it came from: %s",
    async (name) => {
      const shard = `${fixtures}/${name}/data.tar`;
      const record = JSON.parse(await readFile(`${fixtures}/${name}/expected.json`, "utf8")).schema;
      await writeFile(schemaFile, JSON.stringify(record));
      const args = ["--schema", schemaFile, "--json"];
      // Values beyond 64 KiB are printed as digests only, from which nothing can be made.
      const lines = (await shardstream(["cat", shard, ...args])).stdout
        .split("\n")
        .filter((line) => !line.includes("sha256"));
      await writeFile(join(folder, "samples.jsonl"), lines.join("\n"));
      const written = await shardstream([
        "write",
        join(folder, "samples.jsonl"),
        "--out",
        join(folder, "again.tar"),
        ...args,
      ]);
      expect(written).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(written.stdout)).toMatchObject({
        samples: lines.length - 1,
        shards: [{ path: join(folder, "again.tar") }],
      });
      const again = await shardstream(["cat", join(folder, "again.tar"), ...args]);
      expect(again.stdout.split("\n")).toEqual(lines);
    },
  );

  it("splits by samples, and numbers what has no key", async () => {
    const points = [
      { label: "a", x: null },
      { label: "b", x: 1 },
      { key: "own/key", sample: { label: "c", x: { $float: "3ff8000000000000" } } },
    ];
    const { code, stdout } = await write(points, "--samples-per-shard", "2");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^wrote 3 samples to 2 shards, \d+ bytes\n$/)]);
    expect(await cat("out-*.tar")).toEqual([
      { key: "000000000", sample: { label: "a", x: null } },
      { key: "000000001", sample: { label: "b", x: { $float: "3ff0000000000000", repr: "1.0" } } },
      { key: "own/key", sample: { label: "c", x: { $float: "3ff8000000000000", repr: "1.5" } } },
    ]);
  });

  it("splits by bytes, and compresses by name", async () => {
    const points = Array.from({ length: 10 }, (_, i) => ({ label: String(i) }));
    const out = join(folder, "small-%03d.tar.gz");
    await write(points, "--bytes-per-shard", "4096", "--out", out);
    expect((await readdir(folder)).filter((name) => name.startsWith("small")).sort()).toEqual(
      [0, 1, 2, 3].map((n) => `small-00${n}.tar.gz`),
    );
    expect((await cat("small-*")).map(({ sample }) => sample.label)).toEqual(points.map(({ label }) => label));
  });

  it("takes a sample whose fields are key and sample for what it is", async () => {
    const bytes = { $type: "local#primitive", primitive: "bytes" };
    await writeFile(
      schemaFile,
      JSON.stringify({
        ...schema,
        fields: ["key", "sample"].map((name) => ({
          name,
          fieldType: name === "key" ? schema.fields[0]!.fieldType : bytes,
        })),
      }),
    );
    const sample = { key: "k", sample: { $bytes: "AA==" } };
    await write([sample, { key: "own", sample }]);
    expect(await cat("out-*.tar")).toEqual([
      { key: "000000000", sample },
      { key: "own", sample },
    ]);
  });

  it.each([
    ["a line that is no JSON", "{", /Cannot read line 2 of standard input/],
    ["a missing field", "{}", /SCHEMA|label/],
    ["a field of another kind", '{"label":{"$int":"1"}}', /"label"/],
    ["a key that cannot be one", '{"key":"a.b","sample":{"label":""}}', /"a.b/],
  ])("leaves nothing behind at %s", async (_what, line, message) => {
    const out = join(folder, "out.tar");
    const { code, stderr } = await shardstream(["write", "-", "--schema", schemaFile, "--out", out], {
      input: `{"label":"fine"}\n${line}\n`,
    });
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    expect(await readdir(folder)).toEqual(["schema.json"]);
  });

  it("replaces shards only when told so", async () => {
    await write([{ label: "old" }]);
    const refused = await write([{ label: "new" }]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("--overwrite") });
    expect((await write([{ label: "new" }], "--overwrite")).code).toBe(0);
    expect((await cat("out-*.tar")).map(({ sample }) => sample.label)).toEqual(["new"]);
  });

  it("leaves nothing behind when it is interrupted while it waits", async () => {
    const child = startProcess("src/cli/main.ts", [
      "write",
      "-",
      "--schema",
      schemaFile,
      "--out",
      join(folder, "out.tar"),
    ]);
    const end = ended(child);
    child.stdin.write('{"label":"first"}\n');
    while ((await readdir(folder)).length === 1) await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(child.pid!, "SIGINT"); // child.kill of Deno also closes its input
    expect(await end).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(await readdir(folder)).toEqual(["schema.json"]);
  });
});
