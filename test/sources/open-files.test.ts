import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dataset, fromArray, shardWriter } from "../../src/index.ts";
import { Counted } from "../streams/kill-plan.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();

/** Files of the folder that this process holds open. */
function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    const link = `/proc/self/fd/${fd}`;
    // The folder that is listed has a descriptor too, which is gone by now.
    return existsSync(link) && readlinkSync(link).startsWith(folder) ? [link] : [];
  });
}

describe("shards", () => {
  it("are closed whenever a run is left or aborted", async () => {
    const samples = Array.from({ length: 400 }, (_, n) => ({ n, text: "" }));
    for (const ending of ["tar", "tar.gz"]) {
      await fromArray(Counted, samples).pipeTo(shardWriter(`${folder}/c-%02d.${ending}`, { samplesPerShard: 50 }));
    }
    const stored = dataset(folder, Counted);
    const shuffled = stored.shuffle({ window: 100 });
    for (const plan of [stored, shuffled, shuffled.prefetch(4).map(async (sample) => sample)]) {
      for (let turns = 0; turns < 80; turns++) {
        const abort = new AbortController();
        const run = plan.run({ signal: abort.signal });
        for (let i = 0; i < (turns % 40) * 10; i++) await run.next();
        const last = turns % 3 === 0 ? undefined : run.next().catch(() => {});
        for (let turn = 0; turn < turns % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
        if (turns % 2 === 0) await run.return();
        else abort.abort();
        await last;
        // At once: a collection of garbage would close what was forgotten.
        await expect.poll(openFiles, { timeout: 300, interval: 2 }).toEqual([]);
      }
    }
  });
});
