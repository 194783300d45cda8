// Samples here and there beside a full pass: how much of it they cost. Shards of `BYTES` in all are written where there are none yet.
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { task } from "./serve.ts";
import type { Shardstream } from "./sets.ts";

/** What random access costs; times are parts of a full pass, unless they say otherwise. */
export interface RandomFigure {
  readonly sampleBytes: number;
  readonly samples: number;
  /** ms. */
  readonly pass: number;
  /** Drawing 1,000 samples by chance. */
  readonly sample: number;
  /** One sample of a dataset that was just opened. */
  readonly at: number;
  /** The first sample of a shuffle resumed at 99 %, by that of one that starts. */
  readonly resumed: number;
  readonly resumedWindow: number;
  /** A full pass in the order of a shuffle of all samples, and in blocks. */
  readonly permuted: number;
  readonly blocks: number;
  /** ms and MB of the index of a million samples. */
  readonly load?: { readonly ms: number; readonly mb: number };
}

const lib: Shardstream = await import(task.dist);
const { dataset, defineSample, field, fromIterable, shardWriter } = lib;
const [sampleBytes = 1024, totalBytes = 1e6] = task.variant.split(" ").map(Number);
const Item = defineSample("Item", { id: field.int(), data: field.bytes() });
const samples = Math.ceil(totalBytes / sampleBytes);
const folder = join(task.scratch, `random-${sampleBytes}-${totalBytes}`);
const pattern = join(folder, "*.tar");

if (!existsSync(join(folder, "item-000000.tar"))) {
  rmSync(folder, { recursive: true, force: true });
  const made = fromIterable(Item, function* () {
    for (let id = 0; id < samples; id++) yield { id, data: new Uint8Array(sampleBytes).fill(id) };
  });
  const options = { samplesPerShard: Math.ceil(samples / 16), index: true };
  await made.pipeTo(shardWriter(join(folder, "item-%06d.tar"), options));
}

const load = sampleBytes <= 1024 ? await loadMillion() : undefined; // first, while memory is quiet
const open = () => dataset(pattern, Item);
/** The least of several, in ms: whatever else the machine does only adds. */
async function time(times: number, work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}
async function count(plan: AsyncIterable<unknown>): Promise<void> {
  let found = 0;
  for await (const _ of plan) found++;
  if (found === 0) throw new Error("nothing came");
}
async function resumed(plan: ReturnType<typeof open>): Promise<number> {
  const run = plan.run();
  await run.next();
  const start = run.checkpoint();
  await run.return();
  const place = Math.floor(samples * 0.99);
  const resume = { ...start, progress: { start: place, place: { position: place - 1, part: 0 } } };
  const first = async (options: object) => {
    const run = plan.run(options);
    await run.next();
    await run.return();
  };
  return (await time(9, () => first({ resume }))) / (await time(9, () => first({})));
}

const pass = await time(3, () => count(open()));
const least = Math.max(1, Math.floor(samples / 2 ** 20));
const sample = await time(5, () => count(open().sample(1000, 7)));
let place = 0;
const at = await time(50, () => {
  place = (place + 7919) % samples;
  return open().at(place);
});
const figure: RandomFigure = {
  sampleBytes,
  samples,
  pass,
  sample: sample / pass,
  at: at / pass,
  resumed: await resumed(open().shuffle({ seed: 1 })),
  resumedWindow: await resumed(open().shuffle({ seed: 1, window: 1000 })),
  permuted: (await time(least, () => count(open().shuffle({ seed: 1 })))) / pass,
  blocks: (await time(least, () => count(open().shuffle({ seed: 1, blockBytes: 64 << 20 })))) / pass,
  ...(load && { load }),
};
console.log(JSON.stringify(figure));

/** Loads the index of a million members: they are small, so that the index is what counts. */
async function loadMillion(): Promise<{ ms: number; mb: number }> {
  const path = join(folder, "..", "million.tar");
  const Tiny = defineSample("Tiny", { id: field.int() });
  if (!existsSync(path)) {
    const made = fromIterable(Tiny, function* () {
      for (let id = 0; id < 1e6; id++) yield { id };
    });
    await made.pipeTo(shardWriter(path, { index: true }));
  }
  if (statSync(`${path}.index`).size > 20e6) throw new Error("the index is too large");
  const before = process.memoryUsage();
  const million = dataset(path, Tiny);
  await million.get("no such key"); // needs all of it
  const after = process.memoryUsage();
  const mb = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 1e6;
  return { ms: await time(5, () => dataset(path, Tiny).get("no such key")), mb };
}
