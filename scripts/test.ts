/**
 * `npm test`: the whole suite on Node, Deno and Bun, one after another, and one sum.
 *
 *     node scripts/test.ts [--strict] [--node22 PATH] [FILTER...]
 *
 * `--strict` (or CI=true) takes a test skipped for want of a server or of Python as a failure. `--node22` (or
 * SHARDSTREAM_NODE22) is a Node 22 to run the suite on as well. A filter is a part of a test file's path.
 */
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makePythonEnvironment, pythonEnvironment } from "../test/interop/environment.ts";

const { values: flags, positionals: filters } = parseArgs({
  options: { strict: { type: "boolean" }, node22: { type: "string" } },
  allowPositionals: true,
});
const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string) => `${root}node_modules/.bin/${name}`;
const vitest = [`${root}node_modules/vitest/vitest.mjs`, "run", ...filters];
const node22 = flags.node22 ?? process.env.SHARDSTREAM_NODE22;
const CI = flags.strict ? "true" : process.env.CI;
const LIMIT_MS = 15 * 60_000; // far above what a suite takes: only a hang gets here

const runtimes: readonly { readonly name: string; readonly command: string; readonly args: readonly string[] }[] = [
  { name: "node24", command: bin("node"), args: vitest },
  { name: "deno", command: bin("deno"), args: ["run", "-A", "--node-modules-dir=manual", ...vitest] },
  { name: "bun", command: bin("bun"), args: ["--bun", ...vitest] },
  ...(node22 === undefined ? [] : [{ name: "node22", command: node22, args: vitest }]),
];

/** What vitest's JSON reporter writes, as far as it is used here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly meta: { readonly needs?: string };
    }[];
  }[];
}

const total = { passed: 0, failed: 0, skipped: 0 };
const lines: string[] = [];
const skips = new Map<string, string[]>(); // reason and test -> runtimes

if (pythonEnvironment().python === undefined)
  console.log("Python: looking for 3.12; making an environment takes a minute");
const python = await makePythonEnvironment();
if (python.python === undefined) console.log(`Python: ${python.reason}`);

for (const { name, command, args } of runtimes) {
  console.log(`\n=== ${name} ===`);
  const reportFile = `${root}.cache/test/${name}.json`;
  rmSync(reportFile, { force: true });
  const start = performance.now();
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const ended = await stream(command, [...args, ...reporters], name);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { passed, failed, skipped, troubles } = read(reportFile, name);
  const fine = failed + troubles.length === 0;
  // Vitest ends with 1 for failed tests, and for what belongs to no test: an unhandled rejection, a process that died.
  if (fine && ended !== "code 0") troubles.push(`vitest ended with ${ended}`);
  if (fine && passed === 0 && filters.length === 0) troubles.push("no test ran");
  total.passed += passed;
  total.failed += failed + troubles.length;
  total.skipped += skipped;
  lines.push(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`);
  lines.push(...troubles.map((trouble) => `${name}: FAILED, ${trouble}`));
}

console.log("");
for (const [test, where] of skips) console.log(`skipped on ${where.join(", ")}: ${test}`);
for (const line of lines) console.log(line);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

function stream(command: string, args: readonly string[], runtime: string): Promise<string> {
  const env = { ...process.env, SHARDSTREAM_TEST_RUNTIME: runtime, ...(CI === undefined ? {} : { CI }) };
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"], timeout: LIMIT_MS });
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(signal ?? `code ${code}`));
  });
}

function read(reportFile: string, runtime: string) {
  const count = { passed: 0, failed: 0, skipped: 0, troubles: [] as string[] };
  let report: Report;
  try {
    report = JSON.parse(readFileSync(reportFile, "utf8"));
  } catch {
    count.troubles.push("vitest wrote no report");
    return count;
  }
  for (const file of report.testResults) {
    const path = file.name.replace(root, "");
    const unexplained: string[] = [];
    for (const { fullName, status, meta } of file.assertionResults) {
      if (status === "passed" || status === "failed") count[status]++;
      else {
        count.skipped++;
        if (meta.needs === undefined) unexplained.push(fullName.trim());
        const test = `${path} > ${fullName.trim()} (${meta.needs ?? "no reason given"})`;
        skips.set(test, [...(skips.get(test) ?? []), runtime]);
      }
    }
    // A file that does not load, and a hook that fails, make no test fail; nor does a skip that test/needs.ts never saw.
    const failed = file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed");
    if (failed) count.troubles.push(`${path} did not load or a hook failed (see above) ${file.message}`.trim());
    else if (unexplained.length > 0) {
      count.troubles.push(`${path} skips without test/needs.ts: ${unexplained.join(", ")}`);
    }
  }
  return count;
}
