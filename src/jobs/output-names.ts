import { misuse } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import { shownAddress } from "../storage/address.ts";
import { localPath } from "../storage/files.ts";

const INPUT_ENDING = /\.(?:tar(?:\.(?:gz|bz2|xz|zst))?|tgz|(?:jsonl|ndjson)(?:\.(?:gz|bz2|xz|zst))?)$/i;
const LINES_ENDING = /\.(?:jsonl|ndjson)(?:\.(?:gz|bz2|xz|zst))?$/i;
const OUTPUT_ENDING = /\.(?:tar(?:\.(?:gz|zst))?|tgz)$/i;

/** Whether an address names lines of JSON. */
export const isLines = (address: string): boolean => LINES_ENDING.test(pathOf(address));

/** The name of an input without folder and ending: all that its output's name depends on. */
export function stemOf(address: string): string {
  return pathOf(address)
    .replace(/^.*[\\/]/, "")
    .replace(INPUT_ENDING, "");
}

const pathOf = (address: string): string => shownAddress(address).replace(/[?#].*$/, "");

/**
 * Where the outputs go: `output` is a folder, or a path with one `*`, which stands for the name of the input.
 *
 * @throws {TypeError} If two inputs would have the same output, or one is an input.
 * @example
 * ```ts
 * outputsOf(["in/a.tar.gz"], "out"); // ["out/a.tar"]
 * outputsOf(["in/a.tar"], "out/small-*.tar.zst"); // ["out/small-a.tar.zst"]
 * ```
 */
export function outputsOf(inputs: readonly string[], output: string): string[] {
  const { resolve } = builtin("path");
  const refuse = (what: string): TypeError => misuse(new TypeError(`Cannot convert to "${output}": ${what}`));
  if (typeof output !== "string" || output === "") throw refuse("the output must be a folder, or a path with a *");
  const path = localPath(output);
  const pattern = path.includes("*") || OUTPUT_ENDING.test(path) ? path : builtin("path").join(path, "*.tar");
  const [before, after, more] = pattern.split("*");
  if (after === undefined || more !== undefined || /[\\/]/.test(after))
    throw refuse("a path must have one * in its last part, for the name of the input");
  if (!OUTPUT_ENDING.test(after)) throw refuse("its ending must be .tar, .tar.gz, .tgz or .tar.zst");
  const taken = new Map(inputs.map((input) => [resolve(localPath(input)), `"${input}" is an input`]));
  return inputs.map((input) => {
    const place = `${before}${stemOf(input)}${after}`;
    const there = taken.get(resolve(place));
    if (there !== undefined) throw refuse(`"${place}" would be written for "${input}", and ${there}`);
    if (/%\d*d/.test(place)) throw refuse(`"${place}" has the mark of a number in it`);
    taken.set(resolve(place), `for "${input}" too`);
    return place;
  });
}
