import { builtin } from "../runtime/runtime.ts";
import { isLeftBehind } from "../storage/byte-writer.ts";
import { removeFiles } from "../storage/files.ts";
import { ENDINGS } from "./shard-stats.ts";

/**
 * Removes what killed processes of this machine left of these files and of those beside them. Nobody else may be writing them
 * in this process: a partial file with its number is that of an earlier one.
 */
export async function sweep(files: readonly string[]): Promise<void> {
  const { basename, dirname, join } = builtin("path");
  const folders = new Map<string, Set<string>>();
  for (const file of files) {
    const names = folders.get(dirname(file)) ?? new Set();
    folders.set(dirname(file), names);
    for (const ending of ENDINGS) names.add(`${basename(file)}${ending}`);
  }
  const ours = `-${builtin("process").pid}-`;
  for (const [folder, names] of folders) {
    const found = await builtin("fs/promises")
      .readdir(folder)
      .catch(() => [] as string[]); // not there yet
    const left = found.filter((name) => {
      const [, file, writer] = /^\.(.+)\.(\w+-\d+-\d+)\.partial$/.exec(name) ?? [];
      return file !== undefined && names.has(file) && (writer!.includes(ours) || isLeftBehind(name));
    });
    await removeFiles(left.map((name) => join(folder, name)));
  }
}
