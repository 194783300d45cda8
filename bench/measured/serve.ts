import { createInterface } from "node:readline";

/** One pass over a data set. */
export interface Pass {
  readonly samples: number;
  /** Sum of what was read; see `sets.ts`. Nothing where nothing is read. */
  readonly check?: number | undefined;
}

/** What the bench is told about a round. */
export interface Round {
  readonly samples: number;
  /** Seconds of user and system time of the process, all threads. */
  readonly cpu: number;
  readonly wall: number;
  readonly check?: number | undefined;
}

/** What a measured program is given: the package under test, and what to do. */
export interface Task {
  /** Address of `dist/index.js`. */
  readonly dist: string;
  readonly set: "small" | "image" | "embedding";
  readonly variant: string;
  /** Shards to read. */
  readonly shards: readonly string[];
  readonly samples: number;
  readonly samplesPerShard: number;
  /** Where to write. */
  readonly scratch: string;
}

export const task: Task = JSON.parse(process.argv[2]!);

/**
 * Waits for lines on stdin, and answers each with a round: as many passes as fit into the CPU seconds that the line asks for,
 * at least one, and with `ahead` one more before, which does not count. All that is measured together is started first and
 * takes its rounds in turn, so that whatever else the machine does meets all alike. `tidy` comes after each pass and is not
 * measured; it may give the sum where the pass does not.
 */
export async function serve(pass: () => Promise<Pass>, tidy?: () => Promise<number>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { seconds, ahead } = JSON.parse(line) as { seconds: number; ahead?: boolean };
    if (ahead === true) {
      await pass();
      await tidy?.();
    }
    const round = { samples: 0, cpu: 0, wall: 0, check: undefined as number | undefined };
    do {
      const wall = performance.now();
      const start = process.cpuUsage();
      const { samples, check } = await pass();
      const used = process.cpuUsage(start);
      round.cpu += (used.user + used.system) / 1e6;
      round.wall += (performance.now() - wall) / 1e3;
      round.samples += samples;
      round.check = (await tidy?.()) ?? check;
    } while (round.cpu < seconds);
    console.log(JSON.stringify(round));
  }
}
