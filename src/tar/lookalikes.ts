/** What a file that is no tar seems to be, and what to do about it. */
export interface Lookalike {
  /** Begins a sentence about the file: "it looks like an HTML page, which". */
  readonly what: string;
  readonly hint: string;
}

const PATTERNS: readonly (readonly [start: RegExp, what: string, hint: string])[] = [
  [/^\s*</, "an HTML page", "the download gave an error page: open the address in a browser to see it"],
  [/^\s*[{[]/, "JSON", "the download gave an error message: print the file to see it"],
  [/^version https:\/\/git-lfs/, "a Git LFS pointer", "fetch the file itself with git lfs pull"],
  [/^PK/, "a ZIP file", "write its samples to a tar"],
  [/^PAR1/, "a Parquet file", "give the .tar that it describes"],
];

/** Guesses from its first bytes what a file is that is no tar. */
export function describeStart(bytes: Uint8Array): Lookalike | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  const found = PATTERNS.find(([start]) => start.test(text));
  return found && { what: `it looks like ${found[1]}, which`, hint: found[2] };
}
