import { type Chunk, slice } from "../streams/chunk.ts";
import { type Share, wholeShare } from "../streams/share.ts";

/** What of some chunks lies at the positions of a share. Within a chunk, positions follow one another. */
export async function* ownPositions(chunks: AsyncIterable<Chunk>, share: Share): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    if (share === wholeShare) {
      yield chunk;
      continue;
    }
    const first = chunk.trace.position(0);
    for (let row = 0; row < chunk.length; ) {
      const range = share.next(first + row);
      if (range === undefined) return;
      const from = Math.max(row, range.from - first);
      const to = Math.min(chunk.length, range.to - first);
      if (from < to) yield slice(chunk, from, to);
      row = Math.max(to, from);
    }
  }
}
