import { schemeOf } from "./address.ts";
import { openFileRanges } from "./files.ts";
import type { OpenOptions } from "./open.ts";
import { unsupportedScheme } from "./open.ts";

/** Bytes read from any place. */
export interface ByteRanges {
  /** Number of bytes in all. */
  readonly size: number;
  /** Fills `into` with the bytes from `offset` on, and gives their number: less only where the bytes end. */
  read(into: Uint8Array, offset: number): Promise<number>;
  /** Frees the file. Twice is fine. */
  close(): Promise<void>;
}

/**
 * Opens what an address names for reading at any place.
 *
 * @throws {PipelineError} `SHARD_UNREADABLE` if there is nothing to read; `UNSUPPORTED` for anything but a local file.
 * @example
 * ```ts
 * const file = await openRanges("train-000000.tar");
 * const count = await file.read(new Uint8Array(512), file.size - 512);
 * await file.close();
 * ```
 */
export async function openRanges(address: string, { signal }: OpenOptions = {}): Promise<ByteRanges> {
  const scheme = schemeOf(address);
  if (scheme === "file") return openFileRanges(address, signal);
  throw unsupportedScheme(address, scheme, "at random places");
}
