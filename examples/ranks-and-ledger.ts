/** Three ranks share a shuffled dataset and are stopped; two others finish it. A ledger proves that nothing is missing. */
import {
  type Checkpoint,
  dataset,
  fromIterable,
  Ledger,
  mergeCheckpoints,
  shardWriter,
  verifyLedger,
} from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

const writer = shardWriter("data/ranks-%06d.tar", { samplesPerShard: 300, overwrite: true });
await fromIterable(Photo, takePhotos(1000)).pipeTo(writer);

const plan = dataset("data/ranks-*.tar", Photo).shuffle({ window: 250, seed: 7 });
const ledger = new Ledger();

// Each rank would be a process of its own, which keeps its checkpoint and ledger in a file.
const saved: Checkpoint[] = [];
for (const rank of [0, 1, 2]) {
  const run = plan.run({ rank, worldSize: 3, ledger });
  for (let i = 0; i < 100 * (rank + 1); i++) await run.next();
  saved.push(run.checkpoint());
  await run.return();
}
const stopped = await verifyLedger(ledger, plan);
const count = stopped.missing.reduce((sum, { from, to }) => sum + to - from, 0);
console.log(`stopped: ${count} samples are missing, ${stopped.repeated.length} are repeated`);

const resume = mergeCheckpoints(saved);
for (const rank of [0, 1]) for await (const _ of plan.run({ rank, worldSize: 2, resume, ledger }));
console.log(`after two more ranks: complete is ${(await verifyLedger(ledger, plan)).complete}`);

// Prints:
// stopped: 400 samples are missing, 0 are repeated
// after two more ranks: complete is true
