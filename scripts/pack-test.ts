/**
 * Installs the package as a user gets it: `npm pack`, the tarball into an empty project, then every subpath imported on
 * Node, Deno and Bun, and the command asked for help.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string) => `${root}node_modules/.bin/${name}`;
const folder = mkdtempSync(join(tmpdir(), "shardstream-pack-"));

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

try {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  run("npm", "pack", root, "--silent");
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  run("npm", "install", "--silent", "--omit=dev", `./${tarball}`);

  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const modules = Object.keys(exports).filter((subpath) => subpath !== "./package.json");
  const script = modules.map((subpath) => {
    const name = subpath.replace(".", "shardstream");
    return `if (Object.keys(await import("${name}")).length === 0) throw new Error("${name} exports nothing");`;
  });
  writeFileSync(join(folder, "import.js"), script.join("\n"));
  for (const [runtime, ...args] of [["node"], ["deno", "run", "-A", "--node-modules-dir=manual"], ["bun"]] as const) {
    run(bin(runtime), ...args, "import.js");
    console.log(`${runtime}: ${modules.length} subpaths imported`);
  }

  const help = run("npx", "--no-install", "shardstream", "--help");
  if (!help.includes("Usage")) throw new Error(`shardstream --help printed:\n${help}`);
  console.log("npx shardstream --help: ok");
} finally {
  rmSync(folder, { recursive: true });
}
