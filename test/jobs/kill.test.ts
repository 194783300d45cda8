import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { dataset, fromArray, NdArray, shardWriter } from "../../src/index.ts";
import { convert } from "../../src/jobs/index.ts";
import { randomNumbers } from "../../src/streams/random.ts";
import { soakRuns } from "../soak.ts";
import { temporaryFolder } from "../temporary.ts";
import { Noisy, noisy, Reading } from "./tasks.ts";

const JOB = fileURLToPath(new URL("convert-job.ts", import.meta.url));
const SAMPLES = 1600;

it("a job that is killed at random moments loses nothing, doubles nothing, and leaves nothing behind", async () => {
  const folder = temporaryFolder();
  const [input, output, whole] = [`${folder}/in`, `${folder}/out`, `${folder}/whole`];
  const readings = Array.from({ length: SAMPLES }, (_, n) => ({
    n,
    text: `reading ${n}`,
    pixels: new NdArray("uint8", [1], Uint8Array.of(n % 256)),
  }));
  await fromArray(Reading, readings).pipeTo(shardWriter(`${input}/r-%02d.tar`, { samplesPerShard: 100 }));
  await convert(input, whole, { type: Reading, map: noisy({ ms: 8 }) });

  const random = randomNumbers(20_261_121);
  let kills = 0;
  for (const wanted = soakRuns(10); kills < wanted; ) {
    // Threads change from one start to the next.
    const size = Math.floor(random() * 5);
    const job = spawn(process.execPath, ["--conditions=@shardstream/source", JOB, input, output, String(size)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const exit = once(job, "exit");
    const first = await Promise.race([exit, pause(250 + random() * 700)]);
    if (first !== undefined) {
      expect(first[0]).toBe(0);
      expect(filesOf(output)).toEqual(filesOf(whole));
      // Then all is there, and of another task.
      await convert(input, output, { type: Reading, map: noisy({ ms: 0 }), resume: true });
      continue;
    }
    job.kill("SIGKILL");
    await exit;
    kills++;
    // Whatever has its name is whole.
    const names = existsSync(output) ? readdirSync(output) : [];
    for (const name of names.filter((file) => file.endsWith(".tar"))) {
      expect(await dataset(`${output}/${name}`, Noisy).count()).toBe(100);
    }
  }
  const report = await convert(input, output, { type: Reading, map: noisy({ ms: 8 }), resume: true });
  expect(report).toMatchObject({ complete: true, samples: SAMPLES });
  expect(filesOf(output)).toEqual(filesOf(whole));
}, 600_000);

function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name !== "job.json");
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(`${folder}/${name}`).toString("base64")]));
}
