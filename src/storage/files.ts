import { PipelineError } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import { schemeOf, shownAddress } from "./address.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteRanges } from "./ranges.ts";

/** Path of a local address: a path itself, or a `file:` URL. */
export function localPath(address: string): string {
  return /^file:/i.test(address) ? builtin("url").fileURLToPath(address) : address;
}

/**
 * A read as short as this came from the operating system's cache: the next one is made in place, without the way to a thread
 * and back, which costs more than the read. One that takes longer waits for a disk, and must not hold up the program: the next
 * one goes to a thread again.
 */
const QUICK_MS = 1;
/** Reads in place in a row: then one goes to a thread, so that timers, aborts and other work of the program get their turn. */
const IN_PLACE = 7;
/** The same for reads here and there, which are small. */
const IN_PLACE_SMALL = 127;

/**
 * Opens a local file. Reads go straight into the caller's memory.
 *
 * @throws {PipelineError} `SHARD_UNREADABLE`
 */
export async function openFile(address: string, signal?: AbortSignal): Promise<ByteReader> {
  const file = await openHandle(address, signal);
  let position = 0;
  return {
    async read(into) {
      const count = await file.read(into, position);
      position += count;
      return count;
    },
    async skip(count) {
      const skipped = Math.max(0, Math.min(count, (await file.size()) - position));
      position += skipped;
      return skipped;
    },
    close: () => file.close(),
  };
}

/** Opens a local file for reading at any place. @throws {PipelineError} `SHARD_UNREADABLE` */
export async function openFileRanges(address: string, signal?: AbortSignal): Promise<ByteRanges> {
  const file = await openHandle(address, signal, IN_PLACE_SMALL);
  return {
    size: await file.size(),
    async read(into, offset) {
      let count = 0;
      while (count < into.length) {
        const more = await file.read(count === 0 ? into : into.subarray(count), offset + count);
        if (more === 0) break;
        count += more;
      }
      return count;
    },
    close: () => file.close(),
  };
}

interface OpenedFile {
  /** Reads once; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  size(): Promise<number>;
  close(): Promise<void>;
}

async function openHandle(address: string, signal?: AbortSignal, mostInPlace = IN_PLACE): Promise<OpenedFile> {
  signal?.throwIfAborted();
  const handle = await builtin("fs/promises")
    .open(localPath(address))
    .catch((cause: unknown) => {
      throw unreadable(address, cause);
    });
  const { fstatSync, readSync } = builtin("fs");
  let quick = 0;
  let closed: Promise<void> | undefined;
  return {
    async read(into, position) {
      signal?.throwIfAborted();
      try {
        const started = performance.now();
        const inPlace = quick > 0;
        const bytesRead = inPlace
          ? readSync(handle.fd, into, 0, into.length, position)
          : (await handle.read(into, 0, into.length, position)).bytesRead;
        if (performance.now() - started >= QUICK_MS) quick = 0;
        else quick = inPlace ? quick - 1 : mostInPlace;
        return bytesRead;
      } catch (cause) {
        throw unreadable(address, cause);
      } finally {
        signal?.throwIfAborted();
      }
    },
    size: async () => fstatSync(handle.fd).size, // of a file that is open: nothing to wait for
    close: () => (closed ??= handle.close()),
  };
}

/** Bytes of all these, where each is a local file. */
export async function sizeOfAll(addresses: readonly string[]): Promise<number | undefined> {
  if (!addresses.every((address) => schemeOf(address) === "file")) return undefined;
  const { stat } = builtin("fs/promises");
  const stats = await Promise.all(addresses.map((address) => stat(localPath(address))));
  return stats.reduce((sum, { size }) => sum + size, 0);
}

const CASES: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: ["no such file", "check the name, and the folder it is relative to"],
  EISDIR: ["it is a folder", "give the folder as a shard pattern, or name a file in it"],
  EACCES: ["no permission", "check who may read the file"],
  EMFILE: ["too many open files", "raise the limit with ulimit -n, or read fewer shards at once"],
};

function unreadable(address: string, cause: unknown): PipelineError {
  const url = shownAddress(address);
  const code = (cause as { code?: string }).code ?? "";
  const [what, hint] = CASES[code] ?? [cause instanceof Error ? cause.message : String(cause), "try to read it again"];
  return new PipelineError("SHARD_UNREADABLE", `Cannot read "${url}": ${what}`, { url, hint, cause });
}

/** Removes files; those that are not there are no matter. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  const { rm } = builtin("fs/promises");
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}
