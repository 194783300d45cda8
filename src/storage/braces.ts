import { PipelineError } from "../errors.ts";

/** More names than this are a slip of the pen, and would fill the memory. */
const MAX_NAMES = 1_000_000;
const MAX_DEPTH = 100;

/**
 * Expands braces as Python's braceexpand does: `{a,b}`, `{000..099}`, `{0..10..2}`, `{a..e}`, nested, and a backslash
 * before what is meant literally. A range counts down where it starts higher; its step has no sign; it is padded with
 * zeros where one of its bounds is. Letters run from A to Z and on from a to z. Braces around neither stay as they are.
 *
 * @throws {PipelineError} `PATTERN_INVALID` for braces that do not match, and for more than 1,000,000 names.
 * @example
 * ```ts
 * expandBraces("{train,val}-{00..01}.tar"); // ["train-00.tar", "train-01.tar", "val-00.tar", "val-01.tar"]
 * ```
 */
export function expandBraces(pattern: string): string[] {
  const parser = new BraceParser(pattern);
  const names = parser.sequence(false);
  if (parser.at < pattern.length) throw parser.unbalanced();
  return names;
}

class BraceParser {
  at = 0;
  #depth = 0;
  readonly #pattern: string;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /** Names from here to the end, or to the comma or brace that ends an item. */
  sequence(isItem: boolean): string[] {
    let names = [""];
    let text = ""; // to be added to all names
    while (this.at < this.#pattern.length) {
      const char = this.#pattern[this.at]!;
      if (char === "}" || (char === "," && isItem)) break;
      this.at++;
      if (char === "{") {
        names = product(product(names, [text], this.#pattern), this.#braces(), this.#pattern);
        text = "";
      } else if (char === "\\" && this.at < this.#pattern.length) {
        text += this.#pattern[this.at++];
      } else {
        text += char;
      }
    }
    return product(names, [text], this.#pattern);
  }

  unbalanced(): PipelineError {
    const hint = "close every brace, or write \\{ and \\} for braces in a name";
    const message = `Cannot expand "${this.#pattern}": its braces are unbalanced`;
    return new PipelineError("PATTERN_INVALID", message, { pattern: this.#pattern, hint });
  }

  /** What is between braces; the first is behind us. */
  #braces(): string[] {
    const start = this.at;
    const range = /^([^{},\\]*)\}/.exec(this.#pattern.slice(start, start + 128))?.[1];
    const counted = range === undefined ? undefined : expandRange(range, this.#pattern);
    if (range !== undefined && counted !== undefined) {
      this.at += range.length + 1;
      return counted;
    }
    if (++this.#depth > MAX_DEPTH) throw tooMany(this.#pattern);
    let names = this.sequence(true);
    const isList = this.#pattern[this.at] === ",";
    while (this.#pattern[this.at] === ",") {
      this.at++;
      names = names.concat(this.sequence(true));
      if (names.length > MAX_NAMES) throw tooMany(this.#pattern);
    }
    if (this.#pattern[this.at] !== "}") throw this.unbalanced();
    this.at++;
    this.#depth--;
    return isList ? names : names.map((name) => `{${name}}`);
  }
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function expandRange(text: string, pattern: string): string[] | undefined {
  const numbers = /^(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?$/.exec(text);
  if (numbers !== null) {
    const [, from, to, step] = numbers as unknown as [string, string, string, string | undefined];
    const isPadded = /^-?0\d/.test(from) || /^-?0\d/.test(to);
    const width = isPadded ? Math.max(from.length, to.length) : 0;
    return count(Number(from), Number(to), Number(step ?? 1), pattern, (n) => padded(n, width));
  }
  const letters = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d+))?$/.exec(text);
  if (letters === null) return undefined;
  const [, from, to, step] = letters as unknown as [string, string, string, string | undefined];
  return count(LETTERS.indexOf(from), LETTERS.indexOf(to), Number(step ?? 1), pattern, (n) => LETTERS[n]!);
}

function count(from: number, to: number, step: number, pattern: string, name: (n: number) => string): string[] {
  const by = Math.abs(step) || 1;
  const length = Math.floor(Math.abs(to - from) / by) + 1;
  if (!(length <= MAX_NAMES)) throw tooMany(pattern);
  return Array.from({ length }, (_, i) => name(from + (to < from ? -i : i) * by));
}

/** The sign counts as one of the digits. */
function padded(n: number, width: number): string {
  return n < 0 ? `-${String(-n).padStart(width - 1, "0")}` : String(n).padStart(width, "0");
}

function product(starts: readonly string[], ends: readonly string[], pattern: string): string[] {
  if (starts.length * ends.length > MAX_NAMES) throw tooMany(pattern);
  return starts.flatMap((start) => ends.map((end) => start + end));
}

function tooMany(pattern: string): PipelineError {
  const hint = "check the bounds of its ranges";
  const message = `Cannot expand "${pattern}": it stands for too many names (at most ${MAX_NAMES}, nested ${MAX_DEPTH} deep)`;
  return new PipelineError("PATTERN_INVALID", message, { pattern, hint });
}
