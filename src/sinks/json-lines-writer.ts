import type { Sink } from "../streams/sink.ts";

/** What a JSON lines writer wrote. */
export interface WrittenLines {
  readonly path: string;
  readonly lines: number;
}

/**
 * Writes each item as one line of JSON. The file appears when all is written; `.gz` and `.zst` are compressed. Values that
 * JSON has no form for (bytes, arrays, bigints, NaN, dates) are an error: map them to something it has.
 *
 * @example
 * ```ts
 * await fromArray([{ n: 1 }, { n: 2 }]).pipeTo(jsonLinesWriter("numbers.jsonl"));
 * ```
 */
export function jsonLinesWriter<T>(path: string): Sink<T, WrittenLines> {
  return {
    name: "jsonLinesWriter",
    async open(context) {
      return (await import("./loaded-later.ts")).openJsonLines(path, context);
    },
  };
}
