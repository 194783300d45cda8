import { builtin } from "../runtime/runtime.ts";
import type { FileWriter } from "./byte-writer.ts";

/** A file whose SHA-256 is made as it is written. */
export interface DigestingWriter extends FileWriter {
  /** Of all that was written, in hex; asked for at the end. */
  sha256(): string;
}

/** The same file, with its digest. */
export function digesting(file: FileWriter): DigestingWriter {
  const hash = builtin("crypto").createHash("sha256");
  return {
    get size() {
      return file.size;
    },
    write(bytes) {
      hash.update(bytes);
      return file.write(bytes);
    },
    sha256: () => hash.copy().digest("hex"),
    sync: () => file.sync(),
    finish: () => file.finish(),
    commit: (overwrite) => file.commit(overwrite),
    discard: () => file.discard(),
  };
}

/** SHA-256 of a local file, in hex. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = builtin("crypto").createHash("sha256");
  for await (const bytes of builtin("fs").createReadStream(path)) hash.update(bytes as Uint8Array);
  return hash.digest("hex");
}
