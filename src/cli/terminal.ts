import { PipelineError } from "../errors.ts";

/** At most ten new progress lines a second. */
const PROGRESS_MS = 100;

/** Standard output, and a progress line on standard error where that is a terminal. */
export class Terminal {
  #shownAt = 0;
  #isShown = false;

  constructor() {
    // `shardstream cat ... | head`: nobody reads on, so there is nothing left to do, and nothing to say.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
      // Nothing waits for this: it would end the process with a stack trace.
      printError(
        error.code === "ENOSPC" ? new Error("Cannot print: the disk is full", { cause: error }) : error,
        false,
      );
      process.exit(1);
    });
  }

  /** Prints a line, and waits while the reader of it is slow. */
  async print(line: string): Promise<void> {
    this.clearProgress();
    if (process.stdout.write(`${line}\n`)) return;
    await new Promise<void>((resolve) => process.stdout.once("drain", resolve));
  }

  /** Prints text that came from a dataset, or holds parts of one. */
  printText(text: string): Promise<void> {
    return this.print(printable(text));
  }

  /** Shows how far a command has come. `text` is only asked for when it is shown. */
  progress(text: () => string): void {
    if (process.stderr.isTTY !== true) return;
    const now = performance.now();
    if (now - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = now;
    this.#isShown = true;
    process.stderr.write(`\r\x1b[2K${printable(text()).slice(0, (process.stderr.columns || 80) - 1)}`);
  }

  /** Takes the progress line away. */
  clearProgress(): void {
    if (this.#isShown) process.stderr.write("\r\x1b[2K");
    this.#isShown = false;
  }
}

/** Tells what went wrong, in one paragraph. */
export function printError(error: unknown, debug: boolean): void {
  process.stderr.write(`${printable(describeError(error))}\n`);
  if (!debug) return;
  for (let cause = error; cause instanceof Error; cause = cause.cause) process.stderr.write(`${cause.stack}\n`);
}

/** An error as a paragraph, with its hint. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return paragraph(error.message, error instanceof PipelineError ? hintFor(error) : undefined);
}

/** What is the case, and what to try. */
export function paragraph(message: string, hint: string | undefined): string {
  if (hint === undefined) return `${message}.`;
  return `${message}. Hint: ${hint}${/[.?!]$/.test(hint) ? "" : "."}`;
}

/** The hint of an error in the words of the command, which has options where the library has properties. */
export function hintFor({ hint }: PipelineError): string | undefined {
  return hint
    ?.replaceAll(/(?:\{ )?endMarker: "optional"(?: \})?/g, "--end-marker optional")
    .replaceAll(/(?:\{ )?members: "files"(?: \})?/g, "--members files")
    .replace(/, or leave such samples out with onError.*/, "")
    .replaceAll("pass { overwrite: true }", "add --overwrite")
    .replaceAll("pass { resume: true }", "add --resume");
}

/** Text from a dataset must not steer the terminal. */
export function printable(text: string): string {
  const escaped = (char: string) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, escaped);
}
