import type { Chunk } from "./chunk.ts";

/** The time that one stage took by itself. */
export interface StageTime {
  /** Name of the source, an operator, `decode`; the last one is the sink, or `consumer` for your own loop. */
  readonly name: string;
  readonly ms: number;
  /** Its part of the whole, from 0 to 1. */
  readonly share: number;
}

/** Measures the stages of a run, a chunk at a time. */
export class StageClock {
  /** With what stands before each, in order. */
  readonly #stages: { readonly name: string; ms: number }[] = [];

  /** The same chunks, measured. */
  time(name: string, chunks: AsyncIterable<Chunk>): AsyncIterable<Chunk> {
    const stage = { name, ms: 0 };
    this.#stages.push(stage);
    return {
      [Symbol.asyncIterator]() {
        const iterator = chunks[Symbol.asyncIterator]();
        return {
          async next() {
            const start = performance.now();
            try {
              return await iterator.next();
            } finally {
              stage.ms += performance.now() - start;
            }
          },
          return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
        };
      },
    };
  }

  /** The stages in order, and last whoever takes what comes out. */
  times(elapsedMs: number, consumer: string): StageTime[] {
    let before = 0;
    const own = [...this.#stages, { name: consumer, ms: elapsedMs }].map(({ name, ms }) => {
      // Behind read-ahead a stage may take less than those before it, which ran meanwhile.
      const time = { name, ms: Math.max(0, ms - before) };
      before = ms;
      return time;
    });
    const sum = own.reduce((all, { ms }) => all + ms, 0);
    return own.map(({ name, ms }) => ({ name, ms, share: sum > 0 ? ms / sum : 0 }));
  }
}
