import type { SetName } from "./measured/sets.ts";

export const TASKS = [
  "batch",
  "read",
  "shuffle",
  "write",
  "floor",
  "memory",
  "micro",
  "random",
  "quarantine",
  "threads",
] as const;
export type TaskName = (typeof TASKS)[number];

/** Least ratios to peers on Node; `best` is the fastest peer of all, and needs `--peers all`. */
export interface PeerGoal {
  readonly atdata?: number;
  readonly best?: number;
}

/** Our ways of doing a task, as `measured/ours.ts` knows them. */
export const VARIANTS: Readonly<Partial<Record<TaskName, readonly string[]>>> = {
  batch: ["batches, recycled", "batches, fresh"],
  read: ["one by one"],
  shuffle: ["shuffled batches"],
  write: ["write"],
};

const small = { atdata: 55, best: 1.9 };
const embedding = { atdata: 45, best: 3.5 };

export const PEER_GOALS: Readonly<Record<string, Readonly<Record<SetName, PeerGoal>>>> = {
  "batches, recycled": { small, image: { atdata: 10, best: 1.3 }, embedding },
  "batches, fresh": { small, image: { atdata: 4 }, embedding },
  "one by one": { small: { atdata: 45, best: 5 }, image: { atdata: 4 }, embedding: { atdata: 22, best: 2.5 } },
  "shuffled batches": { small: { atdata: 35 }, image: { atdata: 3.5 }, embedding: { atdata: 22 } },
  write: { small: { atdata: 35, best: 6 }, image: { atdata: 2.2 }, embedding: { atdata: 12 } },
};

/** Deno and Bun, as a part of Node's speed. */
export const runtimeGoal = (variant: string): number => (variant === "batches, recycled" ? 0.8 : 0.6);

/** Recycled batches, in percent of the speed of only reading the files. */
export const FLOOR_GOALS: Readonly<Record<SetName, number>> = { small: 25, image: 55, embedding: 45 };

/** MB. */
export const GROWTH_GOAL = 5;
export const MEMORY_VARIANTS = ["recycled", "fresh", "one by one"] as const;
export const memoryGoal = (set: SetName, variant: string): number =>
  set === "image" && variant !== "recycled" ? 170 : 100;

/** ns per sample and stage, in chunks of 256. */
export const STAGE_GOAL = 30;
/** ms that `import "shardstream"` adds to an empty module on Node. */
export const IMPORT_GOAL = 40;

/** Parts of a full pass, by bytes of a sample; and ms of loading the index of a million samples, and MB. */
export const RANDOM_GOALS: Readonly<Record<number, { readonly sample: number; readonly at?: number }>> = {
  1024: { sample: 1 / 20, at: 1 / 500 },
  65536: { sample: 1 / 8 },
};
export const RESUME_GOAL = 2;
export const LOAD_GOAL = { ms: 50, mb: 20 } as const;
/** Percent of CPU time that a quarantine adds to skipping, where 1 % of the samples fail. */
export const QUARANTINE_GOAL = 3;
