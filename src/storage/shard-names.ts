import { PipelineError } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import { schemeOf } from "./address.ts";
import { isLeftBehind } from "./byte-writer.ts";
import { localPath } from "./files.ts";

/** Where the number of a shard stands in a pattern: `%06d`, `%d`. */
const NUMBER = /%(?:0?(\d+))?d/;

/** How the shards of one writer are called: text before and after their number, if they have one. */
export interface ShardNames {
  readonly before: string;
  /** Absent: there is one shard, named `before`. */
  readonly after?: string;
  /** Least digits of the number. */
  readonly digits: number;
}

/**
 * The names that a pattern stands for. One without a place for the number gets it before its ending where there may be
 * several shards.
 *
 * @throws {PipelineError} `UNSUPPORTED` for anything but a local path, and for compression that cannot be written.
 * @throws {TypeError} If the number stands in a folder, or twice.
 * @example
 * ```ts
 * shardPath(shardNames("train-%06d.tar", true), 7); // "train-000007.tar"
 * shardPath(shardNames("train.tar.gz", true), 7); // "train-000007.tar.gz"
 * ```
 */
export function shardNames(pattern: string, isNumbered: boolean): ShardNames {
  if (typeof pattern !== "string" || pattern === "")
    throw new TypeError("Cannot write shards: the pattern must be a path");
  const refuse = (what: string, hint: string): never => {
    throw new PipelineError("UNSUPPORTED", `Cannot write "${pattern}": ${what}`, { url: pattern, hint });
  };
  if (schemeOf(pattern) !== "file")
    refuse("only local files can be written", "write to a path, and copy the shards from there");
  if (/\.(bz2|xz)$/i.test(pattern)) refuse("this compression cannot be written", "write .tar, .tar.gz or .tar.zst");
  const [start = "", ...rest] = pattern.split(NUMBER_ALL);
  const numbers = pattern.match(NUMBER_ALL) ?? [];
  if (numbers.length > 1 || rest.some((text) => /[\\/]/.test(text))) {
    throw new TypeError(`Cannot write "${pattern}": the number may stand once, in the last part`);
  }
  const [number] = numbers;
  // A file: address is decoded piece by piece: the mark of the number is none of its escapes.
  const path = (text: string): string => (/^file:/i.test(pattern) ? decodeURIComponent(text) : text);
  if (number !== undefined) {
    const digits = Number(NUMBER.exec(number)![1] ?? 0);
    return { before: localPath(start), after: path(rest.at(-1)!), digits };
  }
  if (!isNumbered) return { before: localPath(pattern), digits: 0 };
  const [, stem = "", ending = ""] = /^(.*?)((?:\.tar)?(?:\.[a-z0-9]{1,4})?)$/is.exec(localPath(pattern)) ?? [];
  return { before: `${stem}-`, after: ending, digits: 6 };
}

const NUMBER_ALL = /%(?:0?\d+)?d/g;

/** The path of a shard. */
export function shardPath({ before, after, digits }: ShardNames, number: number): string {
  return after === undefined ? before : `${before}${String(number).padStart(digits, "0")}${after}`;
}

/** What is there of some shards: whole ones, and what writers that were killed left of others. */
export interface FoundShards {
  readonly shards: readonly string[];
  readonly partial: readonly string[];
}

/** Looks for the shards of a pattern. @throws {PipelineError} `SHARD_UNWRITABLE` */
export async function findShards({ before, after, digits }: ShardNames): Promise<FoundShards> {
  const { readdir } = builtin("fs/promises");
  const { basename, dirname, join } = builtin("path");
  const folder = before === "" || /[\\/]$/.test(before) ? before || "." : dirname(before);
  const start = /[\\/]$/.test(before) ? "" : basename(before);
  const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // As padStart makes them: longer than asked for only without leading zeros.
  const number = digits <= 1 ? "(?:0|[1-9]\\d*)" : `(?:\\d{${digits}}|[1-9]\\d{${digits},})`;
  const name = after === undefined ? literally(start) : `${literally(start)}${number}${literally(after)}`;
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if ((cause as { code?: string }).code === "ENOENT") return { shards: [], partial: [] };
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new PipelineError("SHARD_UNWRITABLE", `Cannot write to "${folder}": ${message}`, {
      url: folder,
      hint: "check that it is a folder that you may read and write",
      cause,
    });
  }
  const matching = (pattern: RegExp): string[] =>
    names
      .filter((file) => pattern.test(file))
      .sort()
      .map((file) => join(folder, file));
  const partial = matching(new RegExp(`^\\.${name}\\..*\\.partial$`)).filter(isLeftBehind);
  return { shards: matching(new RegExp(`^${name}$`)), partial };
}
