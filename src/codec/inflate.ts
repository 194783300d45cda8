import { PipelineError } from "../errors.ts";

/** A small file can unpack to any size: this is where it stops. */
const MAX_BYTES = 2 ** 30;

/**
 * Unpacks compressed bytes.
 *
 * @param format `gzip`, or `deflate-raw` for what a ZIP holds.
 * @param maxBytes What more than this is refused as a fault. @default 1 GiB
 * @throws {PipelineError} `SAMPLE_CORRUPT` if the bytes are damaged, or unpack to more.
 */
export async function inflate(
  bytes: Uint8Array,
  format: "gzip" | "deflate-raw",
  maxBytes: number = MAX_BYTES,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    const unpacked = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream(format));
    for await (const piece of unpacked) {
      pieces.push(piece);
      length += piece.length;
      if (length > maxBytes) break;
    }
  } catch (cause) {
    throw new PipelineError(
      "SAMPLE_CORRUPT",
      `Cannot unpack ${bytes.length} bytes: they are damaged, or not ${format}`,
      { cause },
    );
  }
  if (length > maxBytes) {
    throw new PipelineError(
      "SAMPLE_CORRUPT",
      `Cannot unpack ${bytes.length} bytes: they hold more than ${maxBytes} bytes`,
    );
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
