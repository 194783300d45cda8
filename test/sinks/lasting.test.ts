import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromArray, jsonLinesWriter, shardWriter } from "../../src/index.ts";
import { randomNumbers } from "../../src/streams/random.ts";
import { ended, startProcess } from "../cli/run-process.ts";
import { soakRuns } from "../soak.ts";
import { Counted } from "../streams/kill-plan.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();

/** The bytes of each file of a folder, by name; partial files too. */
const filesOf = (path: string): Map<string, string> =>
  new Map(readdirSync(path).map((name) => [name, readFileSync(`${path}/${name}`, "latin1")]));

describe("pipeTo(sink, { checkpoint })", () => {
  it.each(["c-%03d.tar", "c.jsonl"])(
    "writes %s as if it had never been killed",
    { timeout: 1_800_000 },
    async (name) => {
      const kind = name.replace(/^.*\./, "");
      const samples = Array.from({ length: 2500 }, (_, n) => ({ n, text: `sample ${n}` }));
      const data = `${folder}/${kind}-data`;
      await fromArray(Counted, samples).pipeTo(shardWriter(`${data}/c-%02d.tar`, { samplesPerShard: 300 }));
      const program = "test/sinks/pipe-slowly.ts";
      const whole = `${folder}/${kind}-whole`;
      const { code, stderr } = await ended(
        startProcess(program, [data, `${whole}/${name}`, `${folder}/${kind}-1.json`]),
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });

      const random = randomNumbers(5);
      const out = `${folder}/${kind}-out`;
      const checkpoint = `${folder}/${kind}-2.json`;
      for (let kills = 0, wanted = soakRuns(3); kills < wanted; ) {
        rmSync(out, { recursive: true, force: true });
        for (let starts = 0; ; starts++) {
          expect(starts).toBeLessThan(60);
          const before = existsSync(checkpoint) ? statSync(checkpoint).mtimeMs : 0;
          const child = startProcess(program, [data, `${out}/${name}`, checkpoint]);
          const end = ended(child);
          // Killed only when it has got on: then every pass comes to its end.
          while (child.exitCode === null && !(existsSync(checkpoint) && statSync(checkpoint).mtimeMs > before)) {
            await new Promise((resolve) => setTimeout(resolve, 2));
          }
          await new Promise((resolve) => setTimeout(resolve, random() * 60));
          child.kill("SIGKILL");
          const { code, stderr } = await end;
          expect(stderr).toBe("");
          // Its last deed is to remove the checkpoint: it may be killed behind that.
          if (code === 0 || !existsSync(checkpoint)) break;
          kills++;
        }
        expect(filesOf(out)).toEqual(filesOf(whole));
        expect(existsSync(checkpoint)).toBe(false);
      }
    },
  );

  it("goes on after an error, and after a kill between two renames", async () => {
    const out = `${folder}/error`;
    const checkpoint = `${folder}/error.json`;
    const samples = Array.from({ length: 1000 }, (_, n) => ({ n, text: "" }));
    let isBroken = true;
    const plan = fromArray(Counted, samples).map(
      (sample) => {
        if (isBroken && sample.n === 700) throw new Error("not yet");
        return sample;
      },
      { type: Counted },
    );
    const options = { checkpoint, checkpointEveryMs: 0 };
    const sink = shardWriter<{ n: number; text: string }>(`${out}/c-%03d.tar`, { samplesPerShard: 200 });
    await expect(plan.pipeTo(sink, options)).rejects.toMatchObject({ code: "STAGE_FAILED" });
    expect(readdirSync(out).every((name) => name.endsWith(".saved.partial"))).toBe(true);
    isBroken = false;
    const saved = readFileSync(checkpoint);
    const written = await plan.pipeTo(sink, options);
    expect(written).toMatchObject({ samples: 1000 });
    const files = filesOf(out);
    expect(files.size).toBe(5);
    // As if it had been killed when all shards had their names, and the checkpoint was still there.
    writeFileSync(checkpoint, saved);
    expect(await plan.pipeTo(sink, options)).toEqual(written);
    expect(filesOf(out)).toEqual(files);
  });

  it("refuses what cannot be taken up again", async () => {
    const ds = fromArray(Counted, [{ n: 1, text: "" }]);
    const checkpoint = `${folder}/refused.json`;
    const compressed = { code: "UNSUPPORTED" };
    await expect(ds.pipeTo(shardWriter(`${folder}/x.tar.gz`), { checkpoint })).rejects.toMatchObject(compressed);
    await expect(ds.pipeTo(jsonLinesWriter(`${folder}/x.jsonl.zst`), { checkpoint })).rejects.toMatchObject(compressed);
    await expect(ds.pipeTo(new WritableStream(), { checkpoint } as never)).rejects.toThrow(TypeError);
    writeFileSync(checkpoint, "[]");
    await expect(ds.pipeTo(shardWriter(`${folder}/x.tar`), { checkpoint })).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
      hint: expect.stringContaining("remove this one"),
    });
  });

  it("refuses to go on when its unfinished output is gone", async () => {
    const checkpoint = `${folder}/gone.json`;
    const lines = jsonLinesWriter<number>(`${folder}/gone.jsonl`);
    const plan = (last: number) =>
      fromArray(Array.from({ length: 1000 }, (_, i) => i)).map((n) => {
        if (n === last) throw new Error("stop");
        return n;
      });
    await expect(plan(900).pipeTo(lines, { checkpoint, checkpointEveryMs: 0 })).rejects.toThrow("stop");
    rmSync(`${folder}/.gone.jsonl.saved.partial`);
    await expect(plan(-1).pipeTo(lines, { checkpoint })).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
      hint: expect.stringContaining("start anew"),
    });
  });
});
