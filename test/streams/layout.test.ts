import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Checkpoint, type Dataset, fromArray, mergeCheckpoints, shardWriter } from "../../src/index.ts";
import { randomNumbers } from "../../src/streams/random.ts";
import { temporaryFolder } from "../temporary.ts";
import { Counted, killPlan } from "./kill-plan.ts";

const folder = temporaryFolder();

/** What of a run the machine decides. */
interface Layout {
  readonly worldSize: number;
  readonly prefetch: number;
  readonly concurrency: number;
}

const planOf = ({ prefetch, concurrency }: Layout): Dataset<string> => {
  const ahead = prefetch === 0 ? killPlan(folder) : killPlan(folder).prefetch(prefetch);
  // Some answers take longer than others; random() must not depend on which.
  const draw = ahead.map(
    async ({ n }, { random }) => {
      const drawn = random();
      if (n % 13 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      return `${n} ${drawn}`;
    },
    { concurrency },
  );
  return prefetch % 2 === 0 ? draw : draw.prefetch(prefetch);
};

/** Up to `most` items of each rank, by their place in the order, and where all ranks are then. */
async function read(layout: Layout, resume: Checkpoint | undefined, most: () => number, into: Map<string, string>) {
  const saved: Checkpoint[] = [];
  for (let rank = 0; rank < layout.worldSize; rank++) {
    const run = planOf(layout).run({ rank, worldSize: layout.worldSize, resume });
    for (let left = most(); left > 0; left--) {
      const { done, value } = await run.next();
      if (done === true) break;
      const place = JSON.stringify(run.checkpoint().progress!.place);
      expect(into.has(place)).toBe(false);
      into.set(place, value);
    }
    saved.push(run.checkpoint());
    await run.return();
  }
  return mergeCheckpoints(saved);
}

describe("the order of samples", () => {
  it("has one hash over 50 layouts, also when the layout changes on the way", { timeout: 300_000 }, async () => {
    await fromArray(
      Counted,
      Array.from({ length: 2000 }, (_, n) => ({ n, text: "" })),
    ).pipeTo(shardWriter(`${folder}/c-%02d.tar`, { samplesPerShard: 170 }));
    const order: string[] = [];
    const run = planOf({ worldSize: 1, prefetch: 0, concurrency: 1 }).run();
    const whole: string[] = [];
    for await (const item of run) {
      whole.push(item);
      order.push(JSON.stringify(run.checkpoint().progress!.place));
    }
    const hashOf = (items: readonly (string | undefined)[]): string =>
      createHash("sha256").update(items.join("\n")).digest("hex");

    const random = randomNumbers(3);
    const upTo = (n: number): number => Math.floor(random() * (n + 1));
    const layoutOf = (): Layout => ({ worldSize: 1 + upTo(5), prefetch: upTo(4), concurrency: 1 + upTo(20) });
    const hashes = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const items = new Map<string, string>();
      const changes = i % 2 === 0 ? 0 : 1 + upTo(2);
      let resume: Checkpoint | undefined;
      for (let change = 0; change < changes; change++) resume = await read(layoutOf(), resume, () => upTo(300), items);
      await read(layoutOf(), resume, () => Infinity, items);
      expect(items.size).toBe(whole.length);
      hashes.add(hashOf(order.map((place) => items.get(place))));
    }
    expect([...hashes]).toEqual([hashOf(whole)]);
  });
});
