import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the Node that runs the test, and gives its standard output. */
export async function node(args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, args as string[], { cwd: root, maxBuffer: 2 ** 26 });
  return stdout;
}

/** Compiles src as `npm run build` does, but beside `dist`, which may be in use; the folder it went to. */
export async function build(name: string): Promise<string> {
  const outDir = `${root}.cache/build-${name}/`;
  const module = JSON.stringify(new URL("../../scripts/build.ts", import.meta.url).href);
  await node(["--input-type=module", "-e", `await (await import(${module})).build(${JSON.stringify(outDir)})`]);
  return outDir;
}
