import { builtin } from "../../runtime/runtime.ts";
import type { ByteWriter } from "../byte-writer.ts";

/**
 * Compresses what is written on its way to another writer. The same bytes give the same file on one runtime: gzip's time
 * is 0 and it names no file. zstd frames end with a checksum.
 *
 * @throws {PipelineError} `UNSUPPORTED` in a browser.
 * @example
 * ```ts
 * const shard = compressTo(await createFile("train-000000.tar.gz"), "gzip");
 * ```
 */
export function compressTo(writer: ByteWriter, kind: "gzip" | "zstd"): ByteWriter {
  const { constants, createGzip, createZstdCompress } = builtin("zlib");
  const stream =
    kind === "gzip" ? createGzip() : createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const pumped = (async () => {
    for await (const chunk of stream) await writer.write(chunk as Uint8Array);
  })();
  let fail: ((error: unknown) => void) | undefined; // ends the write that waits
  pumped.catch((error: unknown) => fail?.(error));
  const finish = async (): Promise<void> => {
    stream.end();
    await pumped;
    await writer.finish();
  };
  return {
    write: (bytes) =>
      new Promise<void>((resolve, reject) => {
        fail = reject;
        stream.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    finish,
    async commit(overwrite) {
      await finish();
      await writer.commit(overwrite);
    },
    async discard() {
      stream.destroy();
      await pumped.catch(() => {});
      await writer.discard();
    },
  };
}
