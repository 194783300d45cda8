import { PipelineError } from "../errors.ts";
import { shownAddress } from "./address.ts";
import { type ByteReader, byteReaderOf } from "./byte-reader.ts";

/**
 * Opens an address with `fetch`. The body is pulled as it is read; closing cancels the request.
 *
 * @throws {PipelineError} `SHARD_UNREADABLE` for a status other than 2xx and for a network that fails;
 * `SHARD_TRUNCATED` for a body that ends before its Content-Length.
 */
export async function openHttp(address: string, signal?: AbortSignal): Promise<ByteReader> {
  const url = shownAddress(address);
  if (/^https?:\/\/[^/?#]*@/i.test(address)) {
    throw new PipelineError("UNSUPPORTED", `Cannot read "${url}": the address holds a user or a password`, {
      url,
      hint: "use a signed address, or fetch it yourself and read the body as a stream",
    });
  }
  const response = await guarded(url, signal, () => fetch(address, signal && { signal }));
  if (!response.ok || response.body === null) {
    await response.body?.cancel(); // an unread body keeps the connection busy
    const hint =
      HINTS[response.status] ?? (response.status >= 500 ? "try again later" : "open the address in a browser");
    const { status } = response;
    throw new PipelineError("SHARD_UNREADABLE", `Cannot read "${url}": status ${status}`, { url, status, hint });
  }
  const size = lengthOf(response);
  const body = byteReaderOf(response.body);
  let position = 0;
  return {
    ...(size !== undefined && { size }),
    async read(into) {
      const count = await guarded(url, signal, () => body.read(into)).catch((error: unknown) => {
        // A server that hangs up is an end of the body in one runtime and an error in another.
        throw size !== undefined && error instanceof PipelineError
          ? truncated(url, position, size, error.cause)
          : error;
      });
      position += count;
      if (count === 0 && size !== undefined && position < size) throw truncated(url, position, size);
      return count;
    },
    close: () => body.close(),
  };
}

const HINTS: Readonly<Record<number, string>> = {
  401: "give the request credentials",
  403: "check that you may read it, and that a signed address has not expired",
  404: "check the address",
  429: "read fewer shards at once",
};

/** Content-Length, where it counts the bytes that will come out: not those of a body that is decoded on the way. */
function lengthOf(response: Response): number | undefined {
  const length = response.headers.get("content-length");
  const encoding = response.headers.get("content-encoding");
  return length === null || (encoding !== null && encoding !== "identity") ? undefined : Number(length);
}

/** An abort rejects with the signal's own reason; any other failure is the network's. */
async function guarded<T>(url: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    signal?.throwIfAborted();
    return result;
  } catch (cause) {
    signal?.throwIfAborted();
    const hint = "check the host and the network, then try again";
    throw new PipelineError("SHARD_UNREADABLE", `Cannot read "${url}": the connection failed`, { url, hint, cause });
  }
}

function truncated(url: string, offset: number, size: number, cause?: unknown): PipelineError {
  const message = `Cannot read "${url}": the body ended after ${offset} of ${size} bytes`;
  return new PipelineError("SHARD_TRUNCATED", message, { url, offset, hint: "download it again", cause });
}
