import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addCat } from "./commands/cat.ts";
import { addConvert } from "./commands/convert.ts";
import { addIndex } from "./commands/index-shards.ts";
import { addInspect } from "./commands/inspect.ts";
import { addPreview } from "./commands/preview.ts";
import { addVerify } from "./commands/verify.ts";
import { addWrite } from "./commands/write.ts";
import { printError, Terminal } from "./terminal.ts";

/** How the command ends: all well; a problem was found, or it failed; it was called wrongly. */
const [WELL, PROBLEM, USAGE] = [0, 1, 2];
/** As of any program that Ctrl-C ended. */
export const INTERRUPTED = 130;

/** Runs the command with its arguments; the exit code. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const terminal = new Terminal();
  const interrupted = new AbortController();
  // The second Ctrl-C does not wait for what the first one ended.
  process.on("SIGINT", () => {
    if (interrupted.signal.aborted) process.exit(INTERRUPTED);
    interrupted.abort(new DOMException("Interrupted", "AbortError"));
  });
  const session: Session = { terminal, signal: interrupted.signal, foundProblem: false };
  try {
    await program(session).parseAsync([...args], { from: "user" });
    if (interrupted.signal.aborted) return INTERRUPTED;
    return session.foundProblem ? PROBLEM : WELL;
  } catch (error) {
    terminal.clearProgress();
    if (interrupted.signal.aborted) return INTERRUPTED;
    // Help and version end with code 0; of wrong usage commander has told already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? WELL : USAGE;
    printError(error, args.includes("--debug"));
    return PROBLEM;
  } finally {
    process.removeAllListeners("SIGINT");
  }
}

/** What a command works with, besides its arguments. */
export interface Session {
  readonly terminal: Terminal;
  /** Ends what the command does when the user interrupts it. */
  readonly signal: AbortSignal;
  /** Set by a command that did its work and found something wrong. */
  foundProblem: boolean;
}

function program(session: Session): Command {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const root = new Command("shardstream")
    .description("Typed datasets in tar shards: look at them, check them, write them.")
    .version(version)
    .exitOverride()
    .showHelpAfterError("(add --help for the usage)")
    .addHelpText("after", HELP);
  for (const add of [addInspect, addPreview, addCat, addWrite, addConvert, addVerify, addIndex]) add(root, session);
  for (const command of root.commands) {
    command.option("--json", "print JSON").option("--debug", "print the stack trace of an error");
  }
  return root;
}

const HELP = `
A DATASET is a path, a folder, a pattern such as "train-{000000..000009}.tar" or "data/*.tar.gz", or an http(s) address.
Exit codes: 0 all is well, 1 a problem was found or the command failed, 2 wrong usage.`;
