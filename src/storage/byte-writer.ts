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

/** A file that is written. */
export interface FileWriter extends ByteWriter {
  /** Bytes written so far. */
  readonly size: number;
  /** Waits until the disk has what was written; its size. */
  sync(): Promise<number>;
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
export async function createFile(path: string): Promise<FileWriter> {
  return writerOf(path, partialOf(path, `${writerName()}-${created++}`), { flags: "wx", position: 0 });
}

/**
 * The same, in a file that outlives the process: `.{name}.saved.partial`.
 *
 * @param saved Bytes to go on behind, as {@link FileWriter.sync} told them; what follows them is cut. @default a new file
 * @throws {PipelineError} `SHARD_UNWRITABLE`; `CHECKPOINT_MISMATCH` if the file is not there any more.
 */
export async function createLastingFile(path: string, saved?: number): Promise<FileWriter> {
  const partial = partialOf(path, "saved");
  if (saved === undefined) return writerOf(path, partial, { flags: "w", position: 0 });
  const { rename, stat, truncate } = builtin("fs/promises");
  const sizeOf = (file: string): Promise<number> =>
    stat(file).then(
      ({ size }) => size,
      () => -1,
    );
  // A process that was killed while it made its files visible got this far with this one.
  if ((await sizeOf(partial)) < 0 && (await sizeOf(path)) >= saved) await rename(path, partial);
  if ((await sizeOf(partial)) < saved) {
    throw new PipelineError(
      "CHECKPOINT_MISMATCH",
      `Cannot go on writing "${path}": its first ${saved} bytes are gone`,
      {
        url: path,
        hint: "remove the checkpoint file, and start anew",
      },
    );
  }
  await truncate(partial, saved);
  return writerOf(path, partial, { flags: "r+", position: saved });
}

function partialOf(path: string, writer: string): string {
  const { basename, dirname, join } = builtin("path");
  return join(dirname(path), `.${basename(path)}.${writer}.partial`);
}

async function writerOf(
  path: string,
  partial: string,
  from: { readonly flags: string; readonly position: number },
): Promise<FileWriter> {
  const { mkdir, open, rename, rm } = builtin("fs/promises");
  const { dirname } = builtin("path");
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw unwritable(path, cause);
    }
  };
  const handle = await guarded(async () => {
    await mkdir(dirname(path), { recursive: true });
    return open(partial, from.flags);
  });
  let { position } = from;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close();
  };
  return {
    get size() {
      return position;
    },
    write: (bytes) =>
      guarded(async () => {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position);
          at += bytesWritten;
          position += bytesWritten;
        }
      }),
    sync: () =>
      guarded(async () => {
        if (isOpen) await handle.datasync();
        return position;
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
