import { PipelineError } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import { schemeOf } from "./address.ts";
import { expandBraces } from "./braces.ts";
import { localPath } from "./files.ts";
import { unsupportedScheme } from "./open.ts";

/**
 * The addresses that a shard pattern stands for. An array is taken as it stands. In a string braces are expanded first
 * (see {@link expandBraces}), then `*` and `?` in the last part of a local path, which match no file whose name starts
 * with a dot, and no offset index; a folder stands for the tars in it. What is matched is sorted by the bytes of its name. Names without `*`
 * and `?` are not looked up here.
 *
 * @throws {PipelineError} `PATTERN_INVALID` if a `*`, a `?` or a folder matches nothing; `UNSUPPORTED` for a scheme that
 * cannot be read.
 * @example
 * ```ts
 * await expandPattern("data/{train,val}-*.tar");
 * ```
 */
export async function expandPattern(pattern: string | readonly string[]): Promise<string[]> {
  if (typeof pattern !== "string") return [...pattern];
  const addresses: string[] = [];
  for (const name of expandBraces(pattern)) {
    const scheme = schemeOf(name);
    if (scheme === "file") for (const found of await expandLocal(name)) addresses.push(found);
    else if (scheme === "http") addresses.push(name);
    else throw unsupportedScheme(name, scheme);
  }
  return addresses;
}

const SHARD_NAME = /\.(tar(\.(gz|bz2|xz|zst))?|tgz)$/i;
/** What lies beside a shard, and is none. */
const INDEX_NAME = /\.(tar(\.(gz|bz2|xz|zst))?|tgz)\.index$/i;

async function expandLocal(name: string): Promise<readonly string[]> {
  const path = name.startsWith("file:") ? localPath(name) : name;
  const { dirname, basename, join } = builtin("path");
  const last = basename(path);
  if (/[*?]/.test(last)) {
    const wanted = new RegExp(
      `^${last
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("*", ".*")
        .replaceAll("?", ".")}$`,
      "su",
    );
    // As it was written: "./*.tar" gives "./a.tar", and join would drop the dot.
    const folder = path.slice(0, path.length - last.length);
    const names = await list(dirname(path), wanted);
    if (names.length === 0)
      throw nothing(name, "no file matches", "check the pattern, and the folder it is relative to");
    return names.map((found) => folder + found);
  }
  if (SHARD_NAME.test(last) || !(await isFolder(path))) return [path];
  const names = await list(path, SHARD_NAME);
  if (names.length === 0) throw nothing(name, "the folder holds no .tar file", "name the shards with a pattern");
  return names.map((found) => join(path, found));
}

async function list(folder: string, wanted: RegExp): Promise<string[]> {
  const names = await builtin("fs/promises")
    .readdir(folder)
    .catch(() => []); // no such folder: nothing matches
  return names.filter((name) => !name.startsWith(".") && wanted.test(name) && !INDEX_NAME.test(name)).sort(byBytes);
}

async function isFolder(path: string): Promise<boolean> {
  const found = await builtin("fs/promises")
    .stat(path)
    .catch(() => undefined);
  return found?.isDirectory() ?? false;
}

/** Order of the UTF-8 bytes, which is that of code points and not that of UTF-16 units. */
function byBytes(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = a.codePointAt(i)! - b.codePointAt(i)!;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function nothing(pattern: string, what: string, hint: string): PipelineError {
  return new PipelineError("PATTERN_INVALID", `Cannot expand "${pattern}": ${what}`, { pattern, hint });
}
