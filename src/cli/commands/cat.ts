import type { Command } from "commander";
import { addReadOptions, type ReadOptions, readSchema, wholeNumber } from "../arguments.ts";
import type { Session } from "../program.ts";
import { openFiles, openSamples } from "../samples.ts";
import { showText, showValue } from "../show.ts";

interface CatOptions extends ReadOptions {
  readonly limit?: number;
  readonly raw?: true;
}

export function addCat(root: Command, session: Session): void {
  const command = root
    .command("cat <dataset>")
    .description("print the samples, one a line; with --json in canonical JSON, from which `write` makes shards again")
    .option("--limit <n>", "print at most so many samples", wholeNumber)
    .option("--raw", "print the files of each sample as bytes, not decoded")
    .addHelpText(
      "after",
      '\nExample:\n  shardstream cat "train-{000000..000009}.tar" --json --limit 100 > samples.jsonl',
    )
    .action((dataset: string, options: CatOptions) => cat(dataset, options, session));
  addReadOptions(command);
}

async function cat(
  pattern: string,
  { limit, raw, ...options }: CatOptions,
  { terminal, signal }: Session,
): Promise<void> {
  const type = await readSchema(options.schema);
  const samples = raw === true ? openFiles(pattern, options) : await openSamples(pattern, options, type);
  if (options.json === true) {
    const run = samples.canonical(limit).run({ signal });
    for await (const sample of run) await terminal.print(JSON.stringify({ key: run.origin!.key, sample }));
    return;
  }
  const run = samples.fields(limit).run({ signal });
  for await (const fields of run) {
    const values = fields.map(
      ({ name, value, isFloat }) => `${showText(name).slice(1, -1)}: ${showValue(value, isFloat)}`,
    );
    await terminal.print(`${showText(run.origin!.key)} {${values.join(", ")}}`);
  }
}
