import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataset } from "../../src/index.ts";
import { shardstream } from "./run-process.ts";

describe("shardstream index", () => {
  it("writes an index beside each shard, by which samples are read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "shardstream-"));
    try {
      await cp("test/fixtures/atdata/multishard", folder, { recursive: true });
      const { code, stdout } = await shardstream(["index", folder]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: "25 samples in 3 shards\n" });
      const shards = await dataset(folder).listShards();
      expect(shards.every((shard) => existsSync(`${shard}.index`))).toBe(true);
      const all = await dataset(folder).toArray();
      expect((await dataset(folder).at(17))!.bytes).toEqual(all[17]!.bytes);
      const again = JSON.parse((await shardstream(["index", folder, "--json"])).stdout);
      expect(again).toMatchObject({ samples: 25, members: "msgpack" });
      expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
      writeFileSync(join(folder, "cut.tar"), new Uint8Array(700));
      const cut = await shardstream(["index", join(folder, "cut.tar")]);
      expect(cut).toMatchObject({ code: 1, stdout: "" });
      expect(existsSync(join(folder, "cut.tar.index"))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
