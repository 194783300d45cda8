import { PipelineError } from "../errors.ts";
import { schemeOf, shownAddress } from "./address.ts";
import type { ByteReader } from "./byte-reader.ts";
import { openFile } from "./files.ts";
import { openHttp } from "./http.ts";

/** How an address is opened. */
export interface OpenOptions {
  /** Ends the reading: pending and later reads reject with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Opens what an address names: a path (relative to the working folder), `file:`, `http:` or `https:`.
 *
 * @throws {PipelineError} `SHARD_UNREADABLE` if there is nothing to read; `UNSUPPORTED` for another scheme.
 * @example
 * ```ts
 * const reader = await openBytes("train-000000.tar");
 * const count = await reader.read(new Uint8Array(1 << 20));
 * await reader.close();
 * ```
 */
export async function openBytes(address: string, { signal }: OpenOptions = {}): Promise<ByteReader> {
  const scheme = schemeOf(address);
  if (scheme === "file") return openFile(address, signal);
  if (scheme === "http") return openHttp(address, signal);
  throw unsupportedScheme(address, scheme);
}

/** The error for an address of a scheme that cannot be read, or not in some way. */
export function unsupportedScheme(address: string, scheme: string, how?: string): PipelineError {
  const url = shownAddress(address);
  const hint = HINTS[scheme] ?? (how === undefined ? "give a path, or an http(s) address" : "download the shards");
  const what = how === undefined ? `Cannot read "${url}"` : `Cannot read "${url}" ${how}`;
  return new PipelineError("UNSUPPORTED", `${what}: ${scheme}: addresses are not supported yet`, { url, hint });
}

const HINTS: Readonly<Record<string, string>> = {
  s3: "download the shards, or give an http(s) address, which may be a signed one",
  at: "give the http(s) addresses of the dataset's shards",
  pipe: "run the command yourself: a shard address is never one; give a path or an http(s) address",
};
