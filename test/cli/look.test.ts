import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shardstream } from "./run-process.ts";

const fixtures = "test/fixtures/atdata";

describe("shardstream inspect", () => {
  it("tells shards, samples, bytes and what the fields hold", async () => {
    const { code, stdout } = await shardstream(["inspect", `${fixtures}/multishard`]);
    expect(stdout).toMatch(/^ {2}3 shards, 25 samples, 81920 bytes$/m);
    expect(stdout).toMatch(/^ {4}label +string +4 different: "dog", "cat", "bird", "ünï"$/m);
    expect(stdout).toMatch(/^ {4}n +int +-46 to 39$/m);
    expect(stdout).toMatch(/^ {4}vec +ndarray float32 \[4\] +a guess: it is stored as bytes$/m);
    expect(code).toBe(0);
  });

  it("infers a schema record that fits all samples", async () => {
    const found = JSON.parse((await shardstream(["inspect", `${fixtures}/multishard`, "--json"])).stdout);
    expect(found).toMatchObject({
      samples: 25,
      bytes: 81920,
      members: "msgpack",
      schemaIsInferred: true,
      problems: [],
    });
    expect(found.shards.map(({ samples }: { samples: number }) => samples)).toEqual([10, 10, 5]);
    expect(found.fields.find(({ name }: { name: string }) => name === "n")).toMatchObject({
      kinds: ["int"],
      min: { $int: "-46" },
      max: { $int: "39" },
    });
    const folder = await mkdtemp(join(tmpdir(), "shardstream-"));
    try {
      await writeFile(join(folder, "schema.json"), JSON.stringify(found.schema));
      const checked = await shardstream(["verify", `${fixtures}/multishard`, "--schema", join(folder, "schema.json")]);
      expect(checked).toMatchObject({ code: 0, stdout: "all is well: 25 samples in 3 shards\n" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("tells the files of classic samples by their extensions", async () => {
    const { stdout } = await shardstream(["inspect", `${fixtures}/webdataset_classic/multi-000000.tar`]);
    expect(stdout).toMatch(/^ {4}cls +int, optional +0 to 5; missing in 2$/m);
    expect(stdout).toMatch(/^ {4}npy +ndarray float32 \[2, 3\], optional/m);
  });

  it("tells what is wrong beside what it found", async () => {
    const { code, stdout } = await shardstream(["inspect", `${fixtures}/corrupt/truncated_body.tar`]);
    expect(stdout).toMatch(/1 shard, 1 sample,.*SHARD_TRUNCATED: /s);
    expect(code).toBe(1);
  });
});

describe("shardstream preview", () => {
  it("shows arrays in short, and long values cut", async () => {
    const { code, stdout } = await shardstream([
      "preview",
      `${fixtures}/webdataset_classic/multi-000000.tar`,
      "-n",
      "2",
    ]);
    expect(stdout).toMatch(/^ {2}v2_0001.npy +float32 \[2, 3\]: nan inf -inf /m);
    expect(stdout).toMatch(/^ {2}jpg +46 bytes: ff d8 .* …$/m);
    expect(stdout.match(/^"/gm)).toHaveLength(2);
    expect(code).toBe(0);
  });

  it("says when an array is a guess, and lets nothing steer the terminal", async () => {
    const { stdout } = await shardstream(["preview", `${fixtures}/ndarrays/data.tar`, "-n", "1"]);
    expect(stdout).toContain("bool []: False (a guess from 6 bytes)");
    const all = await shardstream(["preview", `${fixtures}/primitives/data.tar`, "-n", "100"]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(all.stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  it("gives canonical JSON with the place of each sample", async () => {
    const { stdout } = await shardstream(["preview", `${fixtures}/dictsample/data.tar`, "--json", "-n", "2"]);
    expect(JSON.parse(stdout)).toMatchObject([{ index: 0, shard: `${fixtures}/dictsample/data.tar` }, { index: 1 }]);
  });

  it("says when there is nothing", async () => {
    expect(await shardstream(["preview", `${fixtures}/empty_shard/part-000001.tar`])).toMatchObject({
      code: 0,
      stdout: "no samples\n",
    });
  });
});

describe("shardstream verify", () => {
  it("finds nothing wrong with what Python wrote", async () => {
    const { code, stdout } = await shardstream([
      "verify",
      `${fixtures}/{multishard,keys/webdataset_written.tar,webdataset_classic}`,
      "--members",
      "files",
      "--json",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, problems: [], warnings: [] });
    expect(code).toBe(0);
  });

  it("goes on behind what is wrong, and lists all of it", async () => {
    const { code, stdout } = await shardstream([
      "verify",
      `${fixtures}/corrupt/{good,msgpack_empty,truncated_body}.tar`,
      "--json",
    ]);
    const shard = (name: string) => `${fixtures}/corrupt/${name}.tar`;
    const { ok, shards, samples, problems } = JSON.parse(stdout);
    expect({ ok, shards, samples }).toEqual({
      ok: false,
      shards: [
        { shard: shard("good"), ok: true, samples: 3 },
        { shard: shard("msgpack_empty"), ok: false, samples: 2 },
        { shard: shard("truncated_body"), ok: false, samples: 1 },
      ],
      samples: 6,
    });
    expect(problems).toMatchObject([
      { shard: shard("msgpack_empty"), key: "001", code: "SAMPLE_CORRUPT" },
      { shard: shard("truncated_body"), key: "000", code: "SHARD_TRUNCATED" },
    ]);
    for (const { message, hint } of problems) expect([message, hint]).toEqual([expect.any(String), expect.any(String)]);
    expect(code).toBe(1);
  });

  it("tells warnings, which are no problems", async () => {
    const { code, stdout } = await shardstream(["verify", `${fixtures}/corrupt/gzip_trailing_garbage.tar.gz`]);
    expect(stdout).toMatch(/^warning: .*\nall is well: 3 samples in 1 shard\n$/);
    expect(code).toBe(0);
  });

  it("accepts archives without an end marker when told so", async () => {
    const shard = `${fixtures}/tar_variants/no_eof_blocks.tar`;
    expect(await shardstream(["verify", shard])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("--end-marker optional"),
    });
    expect(await shardstream(["verify", shard, "--end-marker", "optional"])).toMatchObject({ code: 0 });
  });

  it("lists a shard that is not there beside the others", async () => {
    const { code, stdout } = await shardstream(["verify", `${fixtures}/corrupt/{missing,good}.tar`, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, samples: 3, problems: [{ code: "SHARD_UNREADABLE" }] });
    expect(code).toBe(1);
  });
});
