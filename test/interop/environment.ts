import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const cache = fileURLToPath(new URL("../../.cache/", import.meta.url));

/** A folder per set of versions, so that a change of the pinned packages makes a new one. */
function folder(): string {
  const hash = createHash("sha256");
  for (const name of ["requirements.txt", "constraints.txt"]) hash.update(readFileSync(join(here, name)));
  return join(cache, `python-${hash.digest("hex").slice(0, 12)}`);
}

/** The interpreter of the environment with atdata and webdataset, or why there is none. Looks, and makes nothing. */
export function pythonEnvironment(): { readonly python?: string; readonly reason: string } {
  const python = join(folder(), "bin", "python");
  const reasonFile = `${folder()}.txt`;
  if (existsSync(join(folder(), "ready"))) return { python, reason: "" };
  if (existsSync(reasonFile)) return { reason: readFileSync(reasonFile, "utf8") };
  return { reason: "the environment is not made yet, run `npm run python`" };
}

/** Makes the environment where Python 3.12 is found; about a minute, once. Where that fails, keeps the reason. */
export async function makePythonEnvironment(): Promise<ReturnType<typeof pythonEnvironment>> {
  const venv = folder();
  if (existsSync(join(venv, "ready"))) return pythonEnvironment();
  mkdirSync(cache, { recursive: true });
  rmSync(venv, { recursive: true, force: true });
  const keep = (reason: string) => {
    writeFileSync(`${venv}.txt`, reason);
    return { reason };
  };
  const python = findPython312();
  if (python === undefined) return keep("no Python 3.12 found (python3.12, python3 or pyenv)");
  try {
    await run(python, ["-m", "venv", venv]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
    await run(join(venv, "bin", "python"), [...pip, "-r", join(here, "requirements.txt")], { timeout: 10 * 60_000 });
  } catch (error) {
    return keep(`atdata cannot be installed: ${String(error).trim().split("\n").at(-1)}`);
  }
  rmSync(`${venv}.txt`, { force: true });
  writeFileSync(join(venv, "ready"), "");
  return pythonEnvironment();
}

function findPython312(): string | undefined {
  const pyenv = output("pyenv", ["root"]);
  const versions = pyenv === undefined ? undefined : join(pyenv, "versions");
  const found = versions !== undefined && existsSync(versions) ? readdirSync(versions) : [];
  const candidates = found
    .filter((name) => name.startsWith("3.12"))
    .map((name) => join(versions!, name, "bin", "python"));
  return [...candidates, "python3.12", "python3"].find((python) =>
    output(python, ["--version"])?.startsWith("Python 3.12"),
  );
}

function output(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined; // not installed
  }
}
