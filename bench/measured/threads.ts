// What threads cost and gain, as one line of JSON. From `dist`, unbundled: threads import the tasks by their own address.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type Dataset, dataset, type Executor, fromIterable, shardWriter } from "shardstream";
import { threads } from "shardstream/threads";
import { mix, same, Tiny, untyped, work } from "./thread-tasks.ts";

/** Figures of one runtime. */
export interface ThreadFigures {
  /** CPU nanoseconds that crossing adds to a tiny sample, on both threads together. */
  readonly crossing: Readonly<Record<string, number>>;
  /** For each number of threads: how many times as fast as inline, by the clock, and CPU time beside inline's. */
  readonly scaling: readonly { readonly threads: number; readonly faster: number; readonly cpu: number }[];
  /** MB by which memory grew over 1,000 batches. */
  readonly growthMb: number;
}

const isSmoke = process.argv[2] === "smoke";
const TINY = isSmoke ? 2000 : 200_000;
const HEAVY = isSmoke ? 512 : 8192;
const ROUNDS = isSmoke ? 1 : 5;
const HEAVY_US = isSmoke ? 5 : 200;
const folder = await mkdtemp(join(tmpdir(), "shardstream-bench-"));
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function tiny(name: string, count: number): Promise<Dataset<Tiny>> {
  const samples = function* (): Generator<Tiny> {
    for (let n = 0; n < count; n++) yield { n, text: `sample ${n}` };
  };
  await fromIterable(Tiny, samples).pipeTo(shardWriter(`${folder}/${name}-%03d.tar`, { samplesPerShard: 50_000 }));
  return dataset(`${folder}/${name}-*.tar`, Tiny);
}

/** CPU and clock milliseconds of a pass. */
async function pass(plan: Dataset<unknown>, executor: Executor | undefined): Promise<{ cpu: number; wall: number }> {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  for await (const _ of plan.run({ executor }));
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1000, wall: performance.now() - wall };
}

async function figures(): Promise<ThreadFigures> {
  await using one = threads({ size: 1 });
  await using two = threads({ size: 2 });
  const small = await tiny("tiny", TINY);
  const crossing: Record<string, number> = {};
  const plans: Record<string, Dataset<unknown>> = {
    "typed, batches": small.map(same()).batch(1024),
    "typed, one by one": small.map(same()),
    "untyped, one by one": small.map(untyped()),
  };
  for (const [name, plan] of Object.entries(plans)) {
    const added: number[] = [];
    for (let round = isSmoke ? 0 : -2; round < ROUNDS; round++) {
      const inline = await pass(plan, undefined);
      const there = await pass(plan, one);
      if (round >= 0) added.push(((there.cpu - inline.cpu) * 1e6) / TINY);
    }
    crossing[name] = median(added);
  }

  const start = performance.now();
  for (let n = 0; n < 20; n++) mix(n, 100_000);
  const rounds = Math.round((HEAVY_US * 2_000_000) / ((performance.now() - start) * 1000));
  const heavy = (await tiny("heavy", HEAVY)).map(work({ rounds }));
  const ratios = [one, two].map(() => ({ faster: [] as number[], cpu: [] as number[] }));
  for (const executor of [one, two]) await pass(heavy, executor);
  for (let round = 0; round < ROUNDS; round++) {
    const inline = await pass(heavy, undefined);
    for (const [i, executor] of [one, two].entries()) {
      const { cpu, wall } = await pass(heavy, executor);
      ratios[i]!.faster.push(inline.wall / wall);
      ratios[i]!.cpu.push(cpu / inline.cpu);
    }
  }
  const scaling = ratios.map(({ faster, cpu }, i) => ({ threads: i + 1, faster: median(faster), cpu: median(cpu) }));

  let [batches, before] = [0, 0];
  while (batches < (isSmoke ? 20 : 1500)) {
    for await (const _ of small.map(same()).batch(100).run({ executor: two })) {
      if (++batches === 500) before = process.memoryUsage().rss;
    }
  }
  return { crossing, scaling, growthMb: isSmoke ? 0 : (process.memoryUsage().rss - before) / 2 ** 20 };
}

try {
  process.stdout.write(`${JSON.stringify(await figures())}\n`);
} finally {
  await rm(folder, { recursive: true });
}
