import { PipelineError } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import { schemeOf, shownAddress } from "../storage/address.ts";
import { localPath } from "../storage/files.ts";
import type { TaskAddress } from "../streams/task.ts";

/** By what it is seen that an input is still the same. */
export type InputStamp = {
  readonly name: string;
  readonly bytes: number | null;
  /** When it was last changed, in ms, or what its server says about its version. */
  readonly changed: number | string | null;
};

/** @throws {PipelineError} `SHARD_UNREADABLE` if a local file is not there. */
export async function stampOf(input: string, name: string): Promise<InputStamp> {
  if (schemeOf(input) !== "file") return httpStamp(input, name);
  try {
    const { size, mtimeMs } = await builtin("fs/promises").stat(localPath(input));
    return { name, bytes: size, changed: Math.floor(mtimeMs) }; // Deno has whole ones only
  } catch (cause) {
    const url = shownAddress(input);
    throw new PipelineError("SHARD_UNREADABLE", `Cannot convert "${url}": ${(cause as Error).message}`, {
      url,
      cause,
      hint: "check the name, and the folder it is relative to",
    });
  }
}

async function httpStamp(input: string, name: string): Promise<InputStamp> {
  // What a server does not say is no error: reading will say it better.
  const headers = await fetch(input, { method: "HEAD" }).then(
    (response) => response.headers,
    () => new Headers(),
  );
  const length = headers.get("content-length");
  return {
    name,
    bytes: length === null ? null : Number(length),
    changed: headers.get("etag") ?? headers.get("last-modified"),
  };
}

/** By what it is seen that a task is still the same: its name, its options, and the digest of its file in place of its address. */
export async function stampOfTask({ module, name, options }: TaskAddress): Promise<TaskAddress> {
  const { protocol } = new URL(module);
  if (protocol !== "file:") return { name, options, module };
  const path = builtin("url").fileURLToPath(module);
  const bytes = await builtin("fs/promises")
    .readFile(path)
    .catch(() => new Uint8Array(0)); // bundled: importing it decides
  return { name, options, module: builtin("crypto").createHash("sha256").update(bytes).digest("hex") };
}
