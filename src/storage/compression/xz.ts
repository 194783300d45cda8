import { type ByteReader, byteReaderOf } from "../byte-reader.ts";
import type { ByteInput } from "./byte-input.ts";
import { corrupt, cut, loadDecoder } from "./problems.ts";

/** Decompresses xz with xz-decompress, which checks the data; it takes one block of input at a time. */
export async function unxz(input: ByteInput, source: ByteReader): Promise<ByteReader> {
  const { default: module } = await loadDecoder("xz", "xz-decompress", () => import("xz-decompress"));
  const compressed = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (await input.ensure(1)) {
          controller.enqueue(input.buffer.slice(input.at, input.end));
          input.at = input.end;
        } else {
          controller.close();
        }
      },
    },
    { highWaterMark: 0 },
  );
  const reader = byteReaderOf(new module.XzReadableStream(compressed));
  return {
    get warnings() {
      return source.warnings ?? [];
    },
    read: (into) =>
      reader.read(into).catch((cause: unknown) => {
        throw isCut(cause) ? cut("xz") : corrupt("xz", "its data does not decode", cause);
      }),
    async close() {
      await reader.close();
      await source.close();
    },
  };
}

/** XZ_BUF_ERROR: the decoder wants more than there is. */
function isCut(cause: unknown): boolean {
  return cause instanceof Error && cause.message.endsWith("error code 8");
}
