import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtime } from "../needs.ts";

const run = promisify(execFile);
const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const scripts = readdirSync(examples).filter((name) => name.endsWith(".ts"));

describe("the examples", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "shardstream-examples-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** What an example prints, run by the runtime of this test in a folder of its own, from the sources in `src`. */
  async function outputOf(script: string): Promise<string> {
    const args = ["--conditions=@shardstream/source", examples + script];
    if (runtime === "deno") args.unshift("run", "-A");
    const cwd = await mkdtemp(join(folder, "run-"));
    const { stdout } = await run(process.execPath, args, {
      cwd,
      env: { ...process.env, TMPDIR: folder, TEMP: folder },
    });
    return stdout.trimEnd();
  }

  it.concurrent.each(scripts.filter((name) => name !== "quickstart.ts"))("%s prints what it says", async (script) => {
    const [, promised] = readFileSync(examples + script, "utf8").split("\n// Prints:\n");
    expect(await outputOf(script)).toBe(promised!.trimEnd().replaceAll(/^\/\/ ?/gm, ""));
  });

  it("quickstart.ts learns the digits in less than a minute, also when it is run again", async () => {
    for (const _ of ["once", "again"]) {
      const output = await outputOf("quickstart.ts");
      expect(output).toMatch(/[\d,]+ samples\/s/);
      expect(Number(/accuracy .* (\d\.\d+)$/.exec(output)?.[1])).toBeGreaterThan(0.85);
    }
  }, 60_000);

  it.each(scripts)("%s is short", (script) => {
    const [code] = readFileSync(examples + script, "utf8").split("\n// Prints:\n");
    expect(code!.split("\n").length).toBeLessThanOrEqual(60);
  });
});
