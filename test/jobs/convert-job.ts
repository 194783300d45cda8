/** A job in a process of its own, which somebody kills: `convert-job.ts IN OUT THREADS`. */
import process from "node:process";
import { threads } from "../../src/execution/threads.ts";
import { convert } from "../../src/jobs/index.ts";
import { noisy, Reading } from "./tasks.ts";

const [input, output, size] = process.argv.slice(2) as [string, string, string];
const executor = size === "0" ? undefined : threads({ size: Number(size) });
await convert(input, output, { type: Reading, map: noisy({ ms: 8 }), resume: true, executor });
