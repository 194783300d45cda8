import { DictSample } from "../codec/dict-sample.ts";
import type { RawSample } from "../codec/raw-sample.ts";
import { SampleWriter } from "../codec/writer.ts";
import { misuse, PipelineError, withFacts } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { removeFiles } from "../storage/files.ts";
import { findShards, type ShardNames, shardNames, shardPath } from "../storage/shard-names.ts";
import { Batch } from "../streams/batch.ts";
import { type Chunk, rowsOf } from "../streams/chunk.ts";
import type { Json } from "../streams/operator.ts";
import type { OpenSink, SinkContext } from "../streams/sink.ts";
import { checkKey } from "../tar/writer.ts";
import { type SavedShard, ShardFile, type WrittenShard } from "./shard-file.ts";
import type { ShardWriterOptions, WrittenShards } from "./shard-writer.ts";

/** What {@link OpenShardWriter.save} gives. */
interface SavedShards {
  readonly finished: readonly SavedShard[];
  readonly unfinished: SavedShard | null;
  readonly samples: number;
  readonly lastKey: string | null;
}

/** A shard writer at work. */
export class OpenShardWriter implements OpenSink<WrittenShards> {
  readonly #names: ShardNames;
  readonly #options: ShardWriterOptions;
  readonly #writer: SampleWriter | undefined;
  readonly #shards: WrittenShard[] = [];
  /** All shards, out of sight until the last one is written: a run that fails leaves none, and those before it untouched. */
  readonly #files: ShardFile[] = [];
  /** Shards of the pattern that were there before. */
  #stale: readonly string[] = [];
  #file: ShardFile | undefined;
  /** The buffer of the shard before. */
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #samples = 0;
  #lastKey: string | undefined;
  /** The run is saved on its way. */
  #isLasting = false;
  /** Shards that are there may go: the user said so, or they are of this run, which got to naming them and was stopped. */
  #replaces = false;

  private constructor(pattern: string, options: ShardWriterOptions, type: AnySampleType | undefined) {
    const isNumbered = options.samplesPerShard !== undefined || options.bytesPerShard !== undefined;
    this.#names = shardNames(pattern, isNumbered);
    this.#options = options;
    this.#writer = type === undefined ? undefined : new SampleWriter(type);
  }

  static async open(
    pattern: string,
    options: ShardWriterOptions,
    { type, lasting }: SinkContext,
  ): Promise<OpenShardWriter> {
    const writer = new OpenShardWriter(pattern, options, options.type ?? type);
    writer.#isLasting = lasting !== undefined;
    if (lasting !== undefined && options.index === true) {
      throw new PipelineError(
        "UNSUPPORTED",
        `Cannot write "${pattern}" with indexes and a checkpoint: an index is written in one go`,
        {
          url: pattern,
          hint: "leave { index } out, and run `shardstream index` on the shards",
        },
      );
    }
    writer.#replaces = options.overwrite === true || lasting?.saved !== undefined;
    if (lasting?.saved !== undefined) await writer.#goOn(lasting.saved as unknown as SavedShards);
    const { shards, partial } = await findShards(writer.#names);
    writer.#stale = shards;
    const [there] = writer.#stale;
    if (there !== undefined && !writer.#replaces) {
      throw new PipelineError("SHARD_UNWRITABLE", `Cannot write "${pattern}": "${there}" is already there`, {
        url: there,
        hint: "write to another place, or pass { overwrite: true } to replace all shards of the pattern",
      });
    }
    await removeFiles(partial);
    return writer;
  }

  async write(chunk: Chunk): Promise<void> {
    const rows = rowsOf(chunk);
    for (let row = 0; row < rows.length; row++) {
      const sample = rows[row];
      const key = this.#keyOf(sample, chunk, row);
      this.#file ??= await this.#next();
      if (!this.#add(this.#file, key, sample)) {
        await this.#finish();
        this.#file = await this.#next();
        this.#add(this.#file, key, sample);
      }
      this.#samples++;
      this.#lastKey = key;
      if (this.#file.full) await this.#file.flush();
    }
  }

  /** Adds a sample to a shard; false when it is over one of the limits. */
  #add(file: ShardFile, key: string, sample: unknown): boolean {
    const { samplesPerShard = Infinity, bytesPerShard = Infinity } = this.#options;
    if (file.samples >= samplesPerShard) return false;
    if (sample instanceof DictSample) return file.addBytes(key, sample.bytes, bytesPerShard);
    if (isRaw(sample)) {
      checkParts(key, sample.parts);
      return file.addFiles(key, sample.parts, bytesPerShard);
    }
    if (this.#writer === undefined) throw schemaRequired(sample);
    try {
      return file.addSample(key, sample, this.#writer, bytesPerShard);
    } catch (error) {
      throw error instanceof PipelineError ? withFacts(error, { key }) : error;
    }
  }

  #keyOf(sample: unknown, { trace }: Chunk, row: number): string {
    const origin = trace.origin(row);
    let key = this.#options.key?.(sample, origin);
    if (key === undefined && isRaw(sample)) key = sample.key;
    if (key === undefined) {
      // What comes from no shard has no key but its number: nothing to check.
      if (origin.shard === "") return String(this.#samples).padStart(9, "0");
      key = origin.part > 0 ? `${origin.key}_${origin.part}` : origin.key;
    }
    if (typeof key !== "string")
      throw misuse(new TypeError(`Cannot write a sample: its key must be text, not ${typeof key}`));
    checkKey(key, this.#lastKey);
    return key;
  }

  async #next(): Promise<ShardFile> {
    const path = shardPath(this.#names, this.#shards.length);
    const { index = false, digest = false } = this.#options;
    const file = this.#isLasting
      ? await ShardFile.createLasting(path)
      : await ShardFile.create(path, { index, digest, memory: this.#memory });
    this.#files.push(file);
    return file;
  }

  async #finish(): Promise<void> {
    const file = this.#file!;
    this.#shards.push(await file.finish());
    this.#memory = file.takeMemory();
    this.#file = undefined;
  }

  async close(): Promise<WrittenShards> {
    // An empty dataset is one empty shard: something that can be read.
    if (this.#files.length === 0) this.#file = await this.#next();
    if (this.#file !== undefined) await this.#finish();
    await this.#commit();
    const written = new Set(this.#shards.map((shard) => shard.path));
    await ShardFile.remove(this.#stale.filter((path) => !written.has(path)));
    return {
      shards: this.#shards,
      samples: this.#samples,
      bytes: this.#shards.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  async #commit(): Promise<void> {
    const overwrite = this.#replaces;
    for (const [done, file] of this.#files.entries()) {
      try {
        await file.commit(overwrite);
      } catch (error) {
        // None rather than some, where nothing of the user's was replaced.
        if (!overwrite) await ShardFile.remove(this.#shards.slice(0, done).map(({ path }) => path));
        throw error;
      }
    }
  }

  async save(): Promise<Json> {
    const unfinished = await this.#file?.save();
    const saved: SavedShards = {
      finished: this.#shards,
      unfinished: unfinished ?? null,
      samples: this.#samples,
      lastKey: this.#lastKey ?? null,
    };
    return saved as unknown as Json;
  }

  /** Takes up the shards of a run that was stopped. */
  async #goOn({ finished, unfinished, samples, lastKey }: SavedShards): Promise<void> {
    for (const shard of finished) this.#files.push(await ShardFile.createLasting(shard.path, shard));
    this.#shards.push(...finished);
    if (unfinished !== null) {
      this.#file = await ShardFile.createLasting(unfinished.path, unfinished);
      this.#files.push(this.#file);
    }
    this.#samples = samples;
    this.#lastKey = lastKey ?? undefined;
    await Promise.all(this.#files.filter((file) => file !== this.#file).map((file) => file.suspend()));
  }

  async suspend(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.suspend()));
  }

  async abort(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.discard()));
  }
}

function isRaw(sample: unknown): sample is RawSample {
  return typeof sample === "object" && sample !== null && "parts" in sample && sample.parts instanceof Map;
}

function checkParts(key: string, parts: ReadonlyMap<string, unknown>): void {
  const refuse = (what: string): never => {
    throw new PipelineError("SCHEMA_MISMATCH", `Cannot write sample "${key}": ${what}`, {
      key,
      hint: "parts must be a Map from extensions (jpg, seg.png) to Uint8Array, with one at least",
    });
  };
  if (parts.size === 0) refuse("it has no files");
  for (const [extension, data] of parts) {
    if (!(data instanceof Uint8Array)) refuse(`its file .${extension} is ${typeof data}, not bytes`);
    if (extension === "" || /[/\0]/.test(extension)) refuse(`"${extension}" cannot be an extension`);
  }
}

function schemaRequired(sample: unknown): PipelineError {
  if (sample instanceof Batch) {
    return new PipelineError("SCHEMA_REQUIRED", "Cannot write shards: these are batches, and a shard holds samples", {
      hint: "write before batch(), or take the batches apart with flatMap((batch) => batch)",
    });
  }
  return new PipelineError("SCHEMA_REQUIRED", "Cannot write shards: the type of the samples is not known", {
    hint: "pass one: shardWriter(pattern, { type }), map(fn, { type }), or fromIterable(type, samples)",
  });
}
