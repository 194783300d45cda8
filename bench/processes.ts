import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CACHE, type Data, PEERS_SCRIPT, pythonOf } from "./data.ts";
import type { Round, Task } from "./measured/serve.ts";

export const RUNTIMES = ["node", "deno", "bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

const root = fileURLToPath(new URL("..", import.meta.url));
const DIST = new URL("../dist/index.js", import.meta.url).href;
const MEASURED = ["ours", "floor", "contrast", "memory", "micro", "random-access", "quarantine"] as const;
export type Measured = (typeof MEASURED)[number];

/** Strips the types from what is measured, so that no runtime spends time or memory on that. */
export async function buildMeasured(): Promise<void> {
  await build({
    entryPoints: MEASURED.map((name) => join(root, "bench", "measured", `${name}.ts`)),
    outdir: join(CACHE, "js"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "es2024",
  });
}

/** A command of a runtime, as `npm install` put it here. */
export function commandOf(runtime: Runtime): string[] {
  const command = join(root, "node_modules", ".bin", runtime);
  return runtime === "deno" ? [command, "run", "-A", "--quiet", "--no-lock"] : [command];
}

export function versionOf(runtime: Runtime): string {
  const text = execFileSync(commandOf(runtime)[0]!, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+\.\d+/.exec(text)![0];
}

/** One core for all that is measured, where the machine can be told so. */
function pinned(command: readonly string[], pin: boolean): readonly string[] {
  return pin && canPin ? ["taskset", "-c", "1", ...command] : command;
}
export const canPin: boolean = availableParallelism() > 1 && works("taskset", ["-c", "1", "true"]);

function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A process that measures when it is asked to. */
export class Contestant {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;

  constructor(name: string, command: readonly string[], pin: boolean) {
    const [program, ...args] = pinned(command, pin) as [string, ...string[]];
    this.#name = name;
    this.#child = spawn(program, args, { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.on("error", (error) => console.error(`${name}: ${error.message}`));
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * A round of at least so many CPU seconds. Writing has a pass ahead that does not count: a virtual machine gives free memory
   * back to its host, and whoever writes files first after a pause pays for getting it again, up to four times the writing.
   */
  async round(seconds: number, task?: string): Promise<Round> {
    this.#child.stdin!.write(`${JSON.stringify({ seconds, task, ahead: task === "write" })}\n`);
    return this.answer();
  }

  /** The next line that it prints. */
  async answer<T = Round>(): Promise<T> {
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error(`${this.#name} ended without an answer: see above`);
    return JSON.parse(value) as T;
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin!.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await ended;
  }
}

/** Starts one of our programs on a runtime. */
export function startOurs(
  runtime: Runtime,
  program: Measured,
  data: Data,
  variant: string,
  { pin, scratch = CACHE, shards = data.shards }: { pin: boolean; scratch?: string; shards?: readonly string[] },
): Contestant {
  const { name: set, samples, samplesPerShard } = data;
  const task: Task = { dist: DIST, set, variant, shards, samples, samplesPerShard, scratch };
  const script = join(CACHE, "js", `${program}.mjs`);
  return new Contestant(`${runtime} ${variant}`, [...commandOf(runtime), script, JSON.stringify(task)], pin);
}

export async function startPeer(peer: string, data: Data, pin: boolean): Promise<Contestant> {
  const work = join(data.folder, "..", "peers");
  const args = ["-B", PEERS_SCRIPT, "--data", data.folder, "--peer", peer, "--work", work];
  return new Contestant(peer, [await pythonOf(peer), ...args], pin);
}
