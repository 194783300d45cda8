/** Writes a dataset to shards or lines, slowly enough to be killed: `pipe-slowly.ts FOLDER OUT CHECKPOINT` */
import process from "node:process";
import { jsonLinesWriter, shardWriter } from "../../src/index.ts";
import { Counted, killPlan } from "../streams/kill-plan.ts";

const [folder, out, checkpoint] = process.argv.slice(2) as [string, string, string];
const slow = killPlan(folder)
  .flatMap((sample) => (sample.n % 3 === 0 ? [sample, { ...sample, text: "again" }] : [sample]), { type: Counted })
  .map(
    async (sample) => {
      if (sample.n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
      return sample;
    },
    { type: Counted, concurrency: 4 },
  );
const options = { checkpoint, checkpointEveryMs: 5 };
if (out.endsWith(".jsonl")) await slow.pipeTo(jsonLinesWriter(out), options);
else await slow.pipeTo(shardWriter(out, { samplesPerShard: 333 }), options);
