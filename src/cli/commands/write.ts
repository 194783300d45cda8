import type { Command } from "commander";
import { sampleFromCanonical } from "../../codec/from-canonical.ts";
import { fromIterable, fromJsonLines, PipelineError, shardWriter } from "../../index.ts";
import { positiveNumber, readSchema } from "../arguments.ts";
import type { Session } from "../program.ts";

interface WriteOptions {
  readonly json?: true;
  readonly schema: string;
  readonly out: string;
  readonly samplesPerShard?: number;
  readonly bytesPerShard?: number;
  readonly overwrite?: true;
}

export function addWrite(root: Command, session: Session): void {
  root
    .command("write <file>")
    .description(
      "write samples to shards: canonical JSON, one sample a line, as `cat --json` prints it; - is standard input",
    )
    .requiredOption("--schema <file>", "the schema record (JSON) of the samples")
    .requiredOption("--out <pattern>", "the shards, with %06d for their number; .tar.gz and .tar.zst are compressed")
    .option("--samples-per-shard <n>", "most samples of a shard", positiveNumber)
    .option("--bytes-per-shard <n>", "most bytes of a shard, before compression", positiveNumber)
    .option("--overwrite", "replace the shards of the pattern that are there")
    .addHelpText(
      "after",
      "\nExample:\n  shardstream write samples.jsonl --schema photo.json --out train-%06d.tar --samples-per-shard 10000",
    )
    .action((file: string, options: WriteOptions) => write(file, options, session));
}

async function write(
  file: string,
  { json, schema, out, ...limits }: WriteOptions,
  { terminal, signal }: Session,
): Promise<void> {
  const type = (await readSchema(schema))!;
  const keys = new WeakMap<object, string>();
  let read = 0;
  let written = 0;
  const lines = file === "-" ? fromIterable(() => parsedLines(process.stdin)) : fromJsonLines(file);
  const samples = lines.map(
    (line) => {
      const { key, fields } = unwrap(line);
      const sample = sampleFromCanonical(type, fields);
      if (key !== undefined) keys.set(sample, key);
      read++;
      terminal.progress(() => `${read} samples`);
      return sample;
    },
    { type },
  );
  // Numbered over all files, where the samples have no keys of their own.
  const key = (sample: object): string => {
    const number = String(written++).padStart(9, "0");
    return keys.get(sample) ?? number;
  };
  const report = await samples.pipeTo(shardWriter(out, { ...limits, key }), { signal });
  if (json === true) await terminal.print(JSON.stringify(report, null, 2));
  else {
    const shards = report.shards.length === 1 ? "1 shard" : `${report.shards.length} shards`;
    await terminal.print(`wrote ${report.samples} samples to ${shards}, ${report.bytes} bytes`);
  }
}

/** A sample, alone or with its key beside it. No canonical value is an object whose names do not begin with "$". */
function unwrap(line: unknown): { readonly key?: string; readonly fields: unknown } {
  if (typeof line !== "object" || line === null || Object.keys(line).length !== 2) return { fields: line };
  const { key, sample } = line as { readonly key?: unknown; readonly sample?: unknown };
  if (typeof key !== "string" || typeof sample !== "object" || sample === null || Array.isArray(sample))
    return { fields: line };
  const isValue = Object.keys(sample).some((name) => name.startsWith("$"));
  return isValue ? { fields: line } : { key, fields: sample };
}

/** One JSON value a line of standard input. */
async function* parsedLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = "";
  let number = 0;
  const parse = (line: string): unknown => {
    number++;
    try {
      return JSON.parse(line);
    } catch (cause) {
      const message = `Cannot read line ${number} of standard input: ${(cause as Error).message}`;
      throw new PipelineError("SAMPLE_CORRUPT", message, {
        hint: "each line that is not empty must be one JSON value",
        cause,
      });
    }
  };
  for await (const bytes of input) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== "") yield parse(line);
  }
  if (rest.trim() !== "") yield parse(rest);
}
