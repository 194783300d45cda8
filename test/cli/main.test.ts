import { describe, expect, it } from "vitest";
import { ended, shardstream, startProcess } from "./run-process.ts";

const shard = "test/fixtures/atdata/primitives/data.tar";

describe("shardstream", () => {
  it("tells its version, and helps with an example for each command", async () => {
    const { code, stdout } = await shardstream(["--version"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
    expect(await shardstream(["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Exit codes") });
    for (const command of ["inspect", "preview", "cat", "write", "verify"]) {
      const help = await shardstream([command, "--help"]);
      expect(help).toMatchObject({ code: 0, stderr: "" });
      expect(help.stdout).toMatch(
        new RegExp(`Usage: shardstream ${command} .*--json.*Example:\n {2}shardstream ${command}`, "s"),
      );
    }
  });

  it.each([
    ["no command", []],
    ["an unknown command", ["bogus"]],
    ["an unknown option", ["cat", shard, "--bogus"]],
    ["a missing argument", ["cat"]],
    ["one argument too many", ["cat", shard, shard]],
    ["a number that is none", ["cat", shard, "--limit", "many"]],
    ["an end marker that is none", ["verify", shard, "--end-marker", "maybe"]],
    ["a missing option", ["write", "x.jsonl", "--out", "x.tar"]],
  ])("ends with 2 for %s", async (_what, args) => {
    const { code, stdout, stderr } = await shardstream(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^(error: |Usage: )/);
  });

  it.each([
    ["a shard that is not there", ["cat", "no-such.tar"], /^Cannot read "no-such.tar": no such file. Hint: .+\.\n$/],
    [
      "a pattern that matches nothing",
      ["inspect", "no-such-*.tar"],
      /^Cannot expand "no-such-\*.tar": .+ Hint: .+\.\n$/,
    ],
    ["a scheme that is not known", ["verify", "s3://bucket/x.tar"], /^Cannot read "s3:.+ Hint: .+\.\n$/],
    [
      "a schema that is not there",
      ["preview", shard, "--schema", "no.json"],
      /^Cannot read schema "no.json": no such file. Hint: .+\.\n$/,
    ],
    ["a schema that is no JSON", ["preview", shard, "--schema", "LICENSE"], /^Cannot read schema "LICENSE": .+\n$/],
  ])("fails with 1 and a paragraph for %s", async (_what, args, message) => {
    const { code, stderr } = await shardstream(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });

  it("shows a stack trace only when asked", async () => {
    expect((await shardstream(["cat", "no-such.tar", "--debug"])).stderr).toMatch(/\n {4}at /);
  });

  describe("with much to print", () => {
    const much = ["cat", `{${Array(60).fill(shard).join(",")}}`, "--json"];
    const start = () => {
      const child = startProcess("src/cli/main.ts", much);
      return { child, first: new Promise((resolve) => child.stdout.once("data", resolve)), end: ended(child) };
    };

    it("ends quietly when nobody reads on", async () => {
      const { child, first, end } = start();
      await first;
      child.stdout.destroy();
      expect(await end).toMatchObject({ code: 0, stderr: "" });
    });

    it("ends quietly with 130 when it is interrupted", async () => {
      const { child, first, end } = start();
      await first;
      process.kill(child.pid!, "SIGINT"); // child.kill of Deno also closes its input
      expect(await end).toMatchObject({ code: 130, stderr: "" });
    });
  });
});
