/** Bytes read one after another into memory of the caller. */
export interface ByteReader {
  /** Fills the start of `into` with the next bytes and gives their number; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  /** Passes over up to `count` bytes without reading them, and gives their number: less only at the end. Absent: it cannot. */
  skip?(count: number): Promise<number>;
  /**
   * Number of bytes in all, where somebody other than the bytes themselves vouches for it, such as a server's
   * Content-Length. Not set for local files: a cut file has a size too.
   */
  readonly size?: number;
  /** The bytes are those of a compressed stream, whose checksums are met as it is read to its end. */
  readonly isCompressed?: boolean;
  /** What was odd and did no harm, such as bytes behind the end of a compressed stream. */
  readonly warnings?: readonly string[];
  /** Frees the file or socket. Twice is fine. */
  close(): Promise<void>;
}

/** The same bytes, counted as they are read. */
export function countedBytes(reader: ByteReader, into: { bytes: number } | undefined): ByteReader {
  if (into === undefined) return reader;
  return {
    ...(reader.size !== undefined && { size: reader.size }),
    ...(reader.isCompressed !== undefined && { isCompressed: reader.isCompressed }),
    get warnings() {
      return reader.warnings ?? [];
    },
    async read(memory) {
      const count = await reader.read(memory);
      into.bytes += count;
      return count;
    },
    ...(reader.skip && { skip: (count: number) => reader.skip!(count) }),
    close: () => reader.close(),
  };
}

/**
 * Reads any web stream of bytes: the body of a response, a `Blob`, a `DecompressionStream`.
 *
 * @example
 * ```ts
 * const reader = byteReaderOf(new Blob(["abc"]).stream());
 * ```
 */
export function byteReaderOf(stream: ReadableStream<Uint8Array>): ByteReader {
  const source = stream.getReader();
  let chunk = new Uint8Array(0); // what of the last chunk has not been handed out
  return {
    async read(into) {
      while (chunk.length === 0) {
        const { done, value } = await source.read();
        if (done) return 0;
        chunk = value as Uint8Array<ArrayBuffer>;
      }
      const count = Math.min(chunk.length, into.length);
      into.set(chunk.subarray(0, count));
      chunk = chunk.subarray(count);
      return count;
    },
    async close() {
      // A stream that failed rejects here with the error that read() has already given.
      await source.cancel().catch(() => {});
    },
  };
}
