/**
 * `npm run conformance -- --shards DIR [--all]`: reads shards that Python wrote, and compares with what Python reads from them. DIR is a
 * folder with an `expected.json`, or a folder of such folders (test/fixtures/atdata/README.md tells what stands in one).
 *
 * - Where Python read everything: the same samples, and no error. An archive without two zero blocks at its end is no error to
 *   Python, and is read with `endMarker: "optional"`.
 * - Where Python failed: at least the samples it gave before, in order, then an error.
 * - Where Python accepted what is damaged (`cases`), an error is fine too, if every good sample before it came through, and with
 *   `onError: "skip"` every good sample behind it that Python gave.
 * - Of a gzip file Python reads the first stream only, and we read all: what it read must be the beginning of ours.
 * - Array formats that are not read yet (sparse, structured, ...) are compared as bytes.
 *
 * Prints the first that differs, with `--all` all of them. Exit code 0: all equal; 1: something differs, or there is nothing to compare; 2: wrong usage.
 */
import { parseArgs } from "node:util";
import { findFolders } from "../test/conformance/expected.ts";
import { checksOf } from "../test/conformance/folder-checks.ts";
import type { Difference } from "../test/conformance/rules.ts";

const USAGE = "usage: npm run conformance -- --shards DIR [--all]";

process.exitCode = await conformance(process.argv.slice(2));

async function conformance(args: string[]): Promise<number> {
  const { shards, all } = options(args) ?? {};
  if (shards === undefined) {
    console.error(USAGE);
    return 2;
  }
  let [equal, total] = [0, 0];
  const differing: string[] = [];
  for (const folder of findFolders(shards)) {
    const before = equal;
    const checks = checksOf(folder);
    for (const { shard, what, run } of checks) {
      const difference = await run().catch((got: unknown): Difference => ({ expected: "an answer", got }));
      if (difference === undefined) equal++;
      else differing.push(`${folder.name}, ${shard || "all shards"}, ${what}\n${shown(difference)}`);
    }
    const later = folder.later.length === 0 ? "" : `; not compared here: ${folder.later.join(", ")}`;
    console.log(`${folder.name}: ${equal - before} of ${checks.length} equal${later}`);
    total += checks.length;
  }
  if (total === 0) console.error(`Cannot compare "${shards}": there is no expected.json in it, nor in its folders`);
  if (all === true) for (const one of differing) console.log(`differs: ${one}`);
  else if (differing.length > 0) console.log(`first that differs: ${differing[0]}`);
  console.log(`${equal} of ${total} equal`);
  return total > 0 && equal === total ? 0 : 1;
}

function options(args: string[]): { shards?: string; all?: boolean } | undefined {
  try {
    return parseArgs({ args, options: { shards: { type: "string" }, all: { type: "boolean" } } }).values;
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}

function shown({ expected, got }: Difference): string {
  const text = (value: unknown) =>
    value instanceof Error ? value.stack : typeof value === "string" ? value : JSON.stringify(value);
  return `  expected ${String(text(expected)).slice(0, 2000)}\n  got      ${String(text(got)).slice(0, 2000)}`;
}
