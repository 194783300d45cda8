import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The sources of what package.json promises, each `exports` entry and each command; and of what is started by its file. */
function entries(): string[] {
  const { exports, bin } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    exports: Record<string, { default: string } | string>;
    bin: Record<string, string>;
  };
  const built = [
    ...Object.values(exports).map((entry) => (typeof entry === "string" ? entry : entry.default)),
    ...Object.values(bin),
    "./dist/worker.js", // what threads run: nobody imports it
  ];
  return built
    .filter((path) => path.endsWith(".js"))
    .map((path) => path.replace(/^(\.\/)?dist\//, "src/").replace(/\.js$/, ".ts"));
}

/**
 * Compiles `src` for npm: declarations by tsc, and the code by esbuild, one file for each entry and few that they share.
 * A hundred modules take five times as long to load as the same code in a handful.
 */
export async function build(outdir: string): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
  execFileSync(
    process.execPath,
    [
      `${root}node_modules/typescript/bin/tsc`,
      "-p",
      `${root}tsconfig.build.json`,
      "--emitDeclarationOnly",
      "--outDir",
      outdir,
    ],
    {
      stdio: "inherit",
    },
  );
  await bundle({
    absWorkingDir: root,
    entryPoints: entries(),
    outbase: "src",
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    target: "node22",
    packages: "external",
    external: ["node:*"],
    chunkNames: "shared/[name]-[hash]",
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build(`${root}dist`);
