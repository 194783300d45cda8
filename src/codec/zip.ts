import { PipelineError } from "../errors.ts";
import { inflate } from "./inflate.ts";
import { viewOf } from "./msgpack.ts";

// APPNOTE.TXT 4.3.16 and 4.3.12: the end record, the entries of the central directory, and the headers of the files.
const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const FILE_SIGNATURE = 0x04034b50;
const END_SIZE = 22;
const ENTRY_SIZE = 46;
const FILE_SIZE = 30;
const LONGEST_COMMENT = 65535;
/** Many entries can share the same few packed bytes: this is where unpacking stops. */
const MAX_BYTES = 2 ** 30;

/**
 * The files of a ZIP archive by name, in the order of its directory: stored or deflated, without a password, 1 GiB in all at most. Sizes
 * are those of the directory (numpy leaves them out of the file headers), and checksums are checked.
 *
 * @throws {PipelineError} `SAMPLE_CORRUPT` if it is damaged, or of another kind.
 */
export async function unzip(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const view = viewOf(bytes);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  let unpacked = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_SIZE > end || view.getUint32(at, true) !== ENTRY_SIGNATURE)
      throw corrupt("its directory is damaged");
    const nameEnd = at + ENTRY_SIZE + view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + ENTRY_SIZE, nameEnd));
    unpacked += view.getUint32(at + 24, true);
    if (unpacked > MAX_BYTES) throw corrupt("it unpacks to more than 1 GiB");
    files.set(name, await readFile(bytes, view, at, name));
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

function findEnd(view: DataView): number {
  const last = view.byteLength - END_SIZE;
  for (let at = last; at >= Math.max(0, last - LONGEST_COMMENT); at--) {
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  }
  throw corrupt("it has no end record");
}

async function readFile(bytes: Uint8Array, view: DataView, entry: number, name: string): Promise<Uint8Array> {
  const method = view.getUint16(entry + 10, true);
  const packedSize = view.getUint32(entry + 20, true);
  const size = view.getUint32(entry + 24, true);
  const header = view.getUint32(entry + 42, true);
  if ((view.getUint16(entry + 8, true) & 1) !== 0) throw corrupt(`"${name}" in it is encrypted`);
  if (method !== 0 && method !== 8) throw corrupt(`"${name}" in it is packed by method ${method}; 0 and 8 are known`);
  if (header + FILE_SIZE > bytes.length || view.getUint32(header, true) !== FILE_SIGNATURE) {
    throw corrupt(`"${name}" is not where its directory says`);
  }
  const start = header + FILE_SIZE + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  if (start + packedSize > bytes.length)
    throw corrupt(`"${name}" needs ${packedSize} bytes, and ${bytes.length - start} are there`);
  const packed = bytes.subarray(start, start + packedSize);
  const file = method === 0 ? packed.slice() : await inflate(packed, "deflate-raw", size);
  if (file.length !== size) throw corrupt(`"${name}" has ${file.length} bytes, not ${size}`);
  if (crc32(file) !== view.getUint32(entry + 16, true)) throw corrupt(`"${name}" does not have its checksum`);
  return file;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function corrupt(problem: string): PipelineError {
  return new PipelineError("SAMPLE_CORRUPT", `Cannot read a ZIP archive: ${problem}`, { hint: "write it again" });
}
