import type { Chunk } from "./chunk.ts";
import type { Stage } from "./operator.ts";

// For parts that are loaded when they are first needed: see "What is loaded at first" in docs/decisions.md.

/** Chunks of what is opened when the first of them is asked for. */
export async function* later(open: () => Promise<AsyncIterable<Chunk>>): AsyncGenerator<Chunk, undefined> {
  for await (const chunk of await open()) yield chunk;
}

/** A stage that is opened when its first chunk is asked for. */
export function laterStage(open: () => Promise<Stage>): Stage {
  return (chunks) => later(async () => (await open())(chunks));
}
