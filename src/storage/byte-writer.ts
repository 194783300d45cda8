import { PipelineError } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";

/** Bytes written one after another, which become visible all at once. */
export interface ByteWriter {
  /** Writes the bytes; they may be used again as soon as the promise is fulfilled. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the writing and frees what it took. What was written stays out of sight; twice is fine. */
  finish(): Promise<void>;
  /**
   * Makes what was written visible under its name, ending the writing if it has not ended.
   *
   * @param overwrite Whether a file of that name may be replaced. @default true
   */
  commit(overwrite?: boolean): Promise<void>;
  /** Removes what was written. */
  discard(): Promise<void>;
}

let created = 0;

/** Names this process among those that may write to the same folder. */
function writerName(): string {
  return `${builtin("os").hostname().replace(/[^\w]/g, "_")}-${builtin("process").pid}`;
}

/** Whether a partial file was left by a process of this machine that is no more. */
export function isLeftBehind(partial: string): boolean {
  const [, host, pid] = /\.(\w+)-(\d+)-\d+\.partial$/.exec(partial) ?? [];
  if (pid === undefined || !writerName().startsWith(`${host}-`)) return false;
  try {
    builtin("process").kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "ESRCH";
  }
}

/**
 * Creates a file that appears under its name when it is committed. Until then its bytes lie beside it, in a file of this
 * process alone that no `*` matches: `.{name}.{host}-{process}-{number}.partial`.
 *
 * @throws {PipelineError} `SHARD_UNWRITABLE`
 * @example
 * ```ts
 * const file = await createFile("out/train-000000.tar");
 * await file.write(bytes);
 * await file.commit();
 * ```
 */
export async function createFile(path: string): Promise<ByteWriter> {
  const { mkdir, open, rename, rm } = builtin("fs/promises");
  const { basename, dirname, join } = builtin("path");
  const partial = join(dirname(path), `.${basename(path)}.${writerName()}-${created++}.partial`);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw unwritable(path, cause);
    }
  };
  const handle = await guarded(async () => {
    await mkdir(dirname(path), { recursive: true });
    return open(partial, "wx");
  });
  let position = 0;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close();
  };
  return {
    write: (bytes) =>
      guarded(async () => {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position);
          at += bytesWritten;
          position += bytesWritten;
        }
      }),
    finish: () => guarded(close),
    commit: (overwrite = true) =>
      guarded(async () => {
        await close();
        if (!overwrite && builtin("fs").existsSync(path))
          throw new Error("another writer has put a file there meanwhile");
        await rename(partial, path);
      }),
    discard: () =>
      guarded(async () => {
        await close();
        await rm(partial, { force: true });
      }),
  };
}

const CASES: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOSPC: ["the disk is full", "free some space"],
  EACCES: ["no permission", "check who may write to the folder"],
  EROFS: ["the file system is read-only", "write somewhere else"],
  ENOTDIR: ["a part of its path is a file", "name another folder"],
  EISDIR: ["it is a folder", "name a file in it"],
};

/** The error for a file that cannot be written. */
export function unwritable(path: string, cause: unknown): PipelineError {
  const code = (cause as { code?: string }).code ?? "";
  const [what, hint] = CASES[code] ?? [cause instanceof Error ? cause.message : String(cause), "try to write it again"];
  return new PipelineError("SHARD_UNWRITABLE", `Cannot write "${path}": ${what}`, { url: path, hint, cause });
}
