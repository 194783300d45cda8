import type { Command } from "commander";
import { addReadOptions, positiveNumber, type ReadOptions, readSchema } from "../arguments.ts";
import type { Session } from "../program.ts";
import { openSamples } from "../samples.ts";
import { showTable, showText, showValue } from "../show.ts";

interface PreviewOptions extends ReadOptions {
  readonly count: number;
}

export function addPreview(root: Command, session: Session): void {
  const command = root
    .command("preview <dataset>")
    .description("show the first samples: arrays in short, long text and bytes cut")
    .option("-n, --count <n>", "show so many samples", positiveNumber, 5)
    .addHelpText("after", "\nExample:\n  shardstream preview train-000000.tar -n 2")
    .action((dataset: string, options: PreviewOptions) => preview(dataset, options, session));
  addReadOptions(command);
}

async function preview(
  pattern: string,
  { count, ...options }: PreviewOptions,
  { terminal, signal }: Session,
): Promise<void> {
  const samples = await openSamples(pattern, options, await readSchema(options.schema));
  if (options.json === true) {
    const run = samples.canonical(count).run({ signal });
    const shown: unknown[] = [];
    for await (const sample of run) {
      const { shard, index, key } = run.origin!;
      shown.push({ shard, index, key, sample });
    }
    await terminal.print(JSON.stringify(shown, null, 2));
    return;
  }
  const run = samples.fields(count).run({ signal });
  for await (const fields of run) {
    const { shard, index, key } = run.origin!;
    await terminal.print(`${showText(key)}  (sample ${index} of ${shard})`);
    const rows = fields.map(({ name, value, isFloat }) => [showText(name).slice(1, -1), showValue(value, isFloat)]);
    for (const row of showTable(rows)) await terminal.print(row);
  }
  if (run.summary.items === 0) await terminal.print("no samples");
}
