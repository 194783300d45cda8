import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runtime } from "../needs.ts";

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** What stands on standard input. @default nothing */
  readonly input?: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const ARGS = { node: [], deno: ["run", "-A", "--node-modules-dir=manual", `--config=${root}deno.json`], bun: [] };

/** Starts a program of this project on the runtime that runs the test. */
export function startProcess(
  program: string,
  args: readonly string[],
  cwd = root,
  stdout: "pipe" | number = "pipe",
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...ARGS[runtime], root + program, ...args], {
    cwd,
    stdio: ["pipe", stdout, "pipe"],
  }) as ChildProcessWithoutNullStreams;
}

/** All that a process says, when it has ended. */
export function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs a program of this project to its end. */
export function runProcess(
  program: string,
  args: readonly string[],
  { cwd, input = "" }: ProcessOptions = {},
): Promise<Ended> {
  const child = startProcess(program, args, cwd);
  child.stdin.on("error", () => {}); // it may end without reading all of it
  child.stdin.end(input);
  return ended(child);
}

/** Runs the command. */
export function shardstream(args: readonly string[], options?: ProcessOptions): Promise<Ended> {
  return runProcess("src/cli/main.ts", args, options);
}
