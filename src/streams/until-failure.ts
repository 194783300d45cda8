import type { Chunk } from "./chunk.ts";

/**
 * The chunks that come before an error of the stages before. A stage that holds samples back hands those out first, and then
 * lets the error go on.
 */
export class UntilFailure implements AsyncIterableIterator<Chunk, undefined> {
  readonly #chunks: AsyncIterator<Chunk>;
  #failure: { readonly error: unknown } | undefined;

  constructor(chunks: AsyncIterable<Chunk>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  // Not a generator: that would cost each chunk three more turns.
  next(): Promise<IteratorResult<Chunk, undefined>> {
    return this.#chunks.next().catch((error: unknown) => {
      this.#failure = { error };
      return { done: true, value: undefined };
    });
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#chunks.return?.();
    return { done: true, value: undefined };
  }

  /** Throws the error, if there was one. */
  rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
