import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type Checkpoint,
  fromArray,
  Ledger,
  type LedgerRecord,
  mergeCheckpoints,
  shardWriter,
  verifyLedger,
} from "../../src/index.ts";
import { randomNumbers } from "../../src/streams/random.ts";
import { startProcess } from "../cli/run-process.ts";
import { soakRuns } from "../soak.ts";
import { temporaryFolder } from "../temporary.ts";
import { Counted, isKept, killPlan } from "./kill-plan.ts";

const SAMPLES = 3000;
const folder = temporaryFolder();

/** What a consumer left behind: whatever follows its last checkpoint is cut. */
function readOutput(path: string): { keys: number[]; checkpoint?: Checkpoint; ledger?: LedgerRecord } {
  if (!existsSync(path)) return { keys: [] };
  const lines = readFileSync(path, "utf8").split("\n");
  lines.pop(); // a line without its end was being written
  const last = lines.findLastIndex((line) => line.startsWith("{"));
  const keys = lines.slice(0, Math.max(0, last)).filter((line) => !line.startsWith("{"));
  return { keys: keys.map(Number), ...(last >= 0 && JSON.parse(lines[last]!)) };
}

/** Starts all ranks and kills each when it has written something and some time has passed; whether one was killed. */
async function generation(outs: readonly string[], saved: string | undefined, random: () => number): Promise<number> {
  const killed = await Promise.all(
    outs.map(async (out, rank) => {
      const numbers = [rank, outs.length, Math.floor(random() * 5)].map(String);
      const args = [`${folder}/data`, out, ...numbers, ...(saved === undefined ? [] : [saved])];
      const child = startProcess("test/streams/kill-consumer.ts", args);
      let errors = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        errors += text;
      });
      const closed = new Promise<boolean>((resolve, reject) => {
        child.on("close", (code, signal) => {
          if (signal === "SIGKILL") resolve(true);
          else if (code === 0) resolve(false);
          else reject(new Error(`rank ${rank} of ${outs.length}: ${errors}`));
        });
      });
      // Most of a process's life is its start: the clock of the kill runs from its first line on.
      while (!existsSync(out) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
      const kill = setTimeout(() => child.kill("SIGKILL"), random() * 60);
      return closed.finally(() => clearTimeout(kill));
    }),
  );
  return killed.filter(Boolean).length;
}

describe("ranks killed at any moment", () => {
  it("lose and repeat nothing, with other numbers of ranks and threads after each kill", {
    timeout: 1_800_000,
  }, async () => {
    await fromArray(
      Counted,
      Array.from({ length: SAMPLES }, (_, n) => ({ n, text: `sample ${n}` })),
    ).pipeTo(shardWriter(`${folder}/data/c-%02d.tar`, { samplesPerShard: 450 }));
    const whole = (await killPlan(`${folder}/data`).toArray()).map(({ n }) => n);
    expect([...whole].sort((a, b) => a - b)).toEqual(Array.from({ length: SAMPLES }, (_, n) => n).filter(isKept));
    const placeOf = new Map(whole.map((n, place) => [n, place]));

    const random = randomNumbers(7);
    const wanted = soakRuns(20);
    for (let kills = 0, pass = 0; kills < wanted; pass++) {
      const delivered: number[] = [];
      const ledgers: Ledger[] = [];
      let resume: Checkpoint | undefined;
      let saved: string | undefined;
      for (let step = 0; delivered.length < whole.length; step++) {
        expect(step, "generations of one pass").toBeLessThan(100);
        const outs = Array.from(
          { length: 1 + Math.floor(random() * 3) },
          (_, rank) => `${folder}/${pass}-${step}-${rank}`,
        );
        kills += await generation(outs, saved, random);
        const outputs = outs.map(readOutput);
        for (const { keys, ledger } of outputs) {
          delivered.push(...keys);
          if (ledger !== undefined) ledgers.push(new Ledger(ledger));
          const places = keys.map((n) => placeOf.get(n)!);
          expect(places).toEqual(places.toSorted((a, b) => a - b));
        }
        const checkpoints = outputs.flatMap(({ checkpoint }) => checkpoint ?? []);
        if (checkpoints.length > 0) {
          resume = mergeCheckpoints(checkpoints);
          saved = `${folder}/${pass}-${step}-checkpoint.json`;
          const text = JSON.stringify(resume);
          expect(text.length).toBeLessThan(4096);
          writeFileSync(saved, text);
        }
      }
      expect(delivered.toSorted((a, b) => a - b)).toEqual(whole.toSorted((a, b) => a - b));
      // The ledger agrees: nothing twice, and missing only what the filters left out.
      const report = await verifyLedger(Ledger.merge(ledgers), killPlan(`${folder}/data`));
      expect(report.repeated).toEqual([]);
      expect(report.unknown).toEqual([]);
      expect(report.missing.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(SAMPLES - whole.length);
    }
  });
});
