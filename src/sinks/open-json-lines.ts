import { PipelineError } from "../errors.ts";
import { type ByteWriter, createFile, createLastingFile, type FileWriter } from "../storage/byte-writer.ts";
import { compressTo } from "../storage/compression/compress.ts";
import { type Chunk, rowsOf } from "../streams/chunk.ts";
import type { OpenSink, SinkContext } from "../streams/sink.ts";
import type { WrittenLines } from "./json-lines-writer.ts";

/** Opens a file of JSON lines, to be written. */
export async function openJsonLines(path: string, { lasting }: SinkContext): Promise<OpenSink<WrittenLines>> {
  if (lasting === undefined) return new OpenJsonLines(path, await createLines(path));
  if (/\.(gz|zst)$/.test(path)) {
    throw new PipelineError("UNSUPPORTED", `Cannot keep a checkpoint of "${path}": it is compressed in one go`, {
      url: path,
      hint: "write .jsonl",
    });
  }
  const saved = lasting.saved as SavedLines | undefined;
  return new OpenLastingLines(path, await createLastingFile(path, saved?.bytes), saved?.lines);
}

/** What {@link OpenLastingLines.save} gives. */
type SavedLines = { readonly lines: number; readonly bytes: number };

async function createLines(path: string): Promise<ByteWriter> {
  const file = await createFile(path);
  if (path.endsWith(".gz")) return compressTo(file, "gzip");
  return path.endsWith(".zst") ? compressTo(file, "zstd") : file;
}

class OpenJsonLines implements OpenSink<WrittenLines> {
  readonly #path: string;
  readonly #out: ByteWriter;
  protected lines: number;

  constructor(path: string, out: ByteWriter, lines = 0) {
    this.#path = path;
    this.#out = out;
    this.lines = lines;
  }

  async write(chunk: Chunk): Promise<void> {
    const rows = rowsOf(chunk);
    let text = "";
    for (let row = 0; row < rows.length; row++) text += `${this.#line(rows[row], chunk.trace.origin(row).key)}\n`;
    await this.#out.write(new TextEncoder().encode(text));
    this.lines += rows.length;
  }

  #line(item: unknown, key: string): string {
    const json = JSON.stringify(item, function (this: Record<string, unknown>, name, value: unknown) {
      // A date has become text by now, as has all that has a toJSON.
      const what = unsayable(typeof value === "string" ? this[name] : value);
      if (what === undefined) return value;
      throw new PipelineError("SCHEMA_MISMATCH", `Cannot write sample "${key}" as JSON: "${name}" is ${what}`, {
        key,
        hint: "turn it into plain values with map, or write shards",
      });
    });
    if (json !== undefined) return json;
    throw new PipelineError("SCHEMA_MISMATCH", `Cannot write sample "${key}" as JSON: it is ${typeof item}`, { key });
  }

  async close(): Promise<WrittenLines> {
    await this.#out.commit();
    return { path: this.#path, lines: this.lines };
  }

  abort(): Promise<void> {
    return this.#out.discard();
  }
}

/** Lines that a later process can go on behind. */
class OpenLastingLines extends OpenJsonLines {
  readonly #file: FileWriter;

  constructor(path: string, file: FileWriter, lines?: number) {
    super(path, file, lines);
    this.#file = file;
  }

  async save(): Promise<SavedLines> {
    return { lines: this.lines, bytes: await this.#file.sync() };
  }

  suspend(): Promise<void> {
    return this.#file.finish();
  }
}

/** What JSON would leave out or change in silence. */
function unsayable(value: unknown): string | undefined {
  if (typeof value === "bigint") return "a bigint";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (ArrayBuffer.isView(value)) return "bytes";
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? undefined : `a ${value.constructor.name}`;
}
