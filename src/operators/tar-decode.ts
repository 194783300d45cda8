import type { RawSample } from "../codec/raw-sample.ts";
import { misuse } from "../errors.ts";
import type { ByteReader } from "../storage/byte-reader.ts";
import { decompress } from "../storage/compression/decompress.ts";
import { type Chunk, rowsOf } from "../streams/chunk.ts";
import { Operator, type StageContext } from "../streams/operator.ts";
import type { Restart } from "../streams/trace.ts";
import { TraceOf } from "../streams/trace-of.ts";
import { rawChunks } from "../tar/chunks.ts";
import { ShardReader } from "../tar/shard-reader.ts";

export interface TarDecodeOptions {
  /** What the stream is called in origins and errors. @default "stream" */
  readonly name?: string;
  /** As in `dataset`. @default "required" */
  readonly endMarker?: "required" | "optional";
}

/** Samples found in the window at a time. */
const CHUNK_ROWS = 256;

/**
 * The bytes of one shard, in pieces of any size, to its samples as they are stored: files by extension. Compressed shards are
 * unpacked, whatever they are called.
 *
 * @example
 * ```ts no-run
 * const { body } = await fetch("https://example.org/train-000000.tar");
 * for await (const { key, parts } of body!.pipeThrough(tarDecode())) console.log(key, parts.keys());
 * ```
 */
export function tarDecode({
  name = "stream",
  endMarker = "required",
}: TarDecodeOptions = {}): Operator<Uint8Array, RawSample> {
  return new Operator({
    name: "tarDecode",
    // What comes out is counted: a piece of bytes holds any number of samples.
    role: "count",
    options: { endMarker },
    typeOf: () => undefined,
    open: (context) => (chunks) => decode(chunks, name, endMarker, context),
  });
}

async function* decode(
  chunks: AsyncIterable<Chunk>,
  name: string,
  endMarker: "required" | "optional",
  { faults }: StageContext,
): AsyncGenerator<Chunk> {
  const reader = new ShardReader(await decompress(bytesOf(chunks)), { url: name, endMarker, members: "files" });
  try {
    for (let position = 0; ; ) {
      const records = await reader.read(CHUNK_ROWS);
      if (records === undefined) break;
      for (const chunk of rawChunks(records, position, { shard: name, first: position, keys: records.keys }, faults)) {
        yield { ...chunk, trace: new FromStart(chunk.trace) };
      }
      position += records.length;
    }
    for (const warning of reader.warnings) faults.warn(`${name}: ${warning}`);
  } catch (error) {
    faults.shard(error, name);
  } finally {
    await reader.close();
  }
}

/** The pieces of a stream as bytes to read. */
function bytesOf(chunks: AsyncIterable<Chunk>): ByteReader {
  const pieces = (async function* () {
    for await (const chunk of chunks) {
      for (const piece of rowsOf(chunk)) {
        if (piece instanceof Uint8Array) yield piece;
        else
          throw misuse(new TypeError(`Cannot decode a tar stream: its pieces must be Uint8Array, not ${typeof piece}`));
      }
    }
  })();
  let rest = new Uint8Array(0);
  return {
    async read(into) {
      while (rest.length === 0) {
        const { done, value } = await pieces.next();
        if (done === true) return 0;
        rest = value as Uint8Array<ArrayBuffer>;
      }
      const count = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
    async close() {
      await pieces.return(undefined);
    },
  };
}

/** Samples of a stream of bytes: to get at what follows one, the stream is read again from its start. */
class FromStart extends TraceOf {
  override restart(): Restart {
    return { start: 0 };
  }
}
