import type { Chunk } from "./chunk.ts";

/**
 * The chunks that come before an error of the stages before. A stage that holds samples back hands those out first, and then
 * lets the error go on.
 */
export class UntilFailure implements AsyncIterable<Chunk> {
  readonly #chunks: AsyncIterable<Chunk>;
  #failure: { readonly error: unknown } | undefined;

  constructor(chunks: AsyncIterable<Chunk>) {
    this.#chunks = chunks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
    try {
      yield* this.#chunks;
    } catch (error) {
      this.#failure = { error };
    }
  }

  /** Throws the error, if there was one. */
  rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
