import type { UnitProgress } from "./convert-shard.ts";

/** How far a job has come. */
export interface JobProgress {
  readonly shards: number;
  /** Converted or kept. */
  readonly shardsDone: number;
  /** Samples and bytes read by now. */
  readonly samples: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  /** How long the rest will take at this rate; absent where the sizes of inputs are not known. */
  readonly timeLeftMs?: number | undefined;
}

/** Adds up what the units of a job tell. */
export class JobWatch {
  readonly #sizes: ReadonlyMap<string, number | null>;
  readonly #listener: ((progress: JobProgress) => void) | undefined;
  readonly #read = new Map<string, UnitProgress>();
  readonly #startedAt = performance.now();
  #kept = 0;
  #done = 0;

  /** The bytes of each input that there is to convert. */
  constructor(
    sizes: ReadonlyMap<string, number | null>,
    kept: number,
    listener: ((progress: JobProgress) => void) | undefined,
  ) {
    [this.#sizes, this.#kept, this.#listener] = [sizes, kept, listener];
    this.#tell();
  }

  read(input: string, progress: UnitProgress): void {
    this.#read.set(input, progress);
    this.#tell();
  }

  done(): void {
    this.#done++;
    this.#tell();
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  #tell(): void {
    if (this.#listener === undefined) return;
    const sum = (of: "samples" | "bytes"): number =>
      [...this.#read.values()].reduce((all, progress) => all + progress[of], 0);
    const { elapsedMs } = this;
    const bytes = sum("bytes");
    const total = [...this.#sizes.values()].reduce<number>((all, size) => all + (size ?? Number.NaN), 0);
    const ended = this.#done === this.#sizes.size;
    this.#listener({
      shards: this.#kept + this.#sizes.size,
      shardsDone: this.#kept + this.#done,
      samples: sum("samples"),
      bytes,
      elapsedMs,
      timeLeftMs: ended ? 0 : bytes > 0 && total > 0 ? (elapsedMs * Math.max(0, total - bytes)) / bytes : undefined,
    });
  }
}
