import { stat } from "node:fs/promises";
import type { Command } from "commander";
import type { SchemaRecord } from "../../index.ts";
import { schemeOf } from "../../storage/address.ts";
import { localPath } from "../../storage/files.ts";
import { openBytes } from "../../storage/open.ts";
import { addReadOptions, type ReadOptions, readSchema } from "../arguments.ts";
import { inferSchema } from "../infer.ts";
import { counted, type Problem, passShards, printProblems, type ShardReport } from "../passes.ts";
import type { Session } from "../program.ts";
import { openSamples, type Samples, type ShownField } from "../samples.ts";
import { showTable, showText } from "../show.ts";
import { FieldStatistics, kindOf } from "../statistics.ts";
import { fieldJson, fieldLine } from "../tell-field.ts";

/** Shards that are listed one by one. */
const MOST_SHARDS = 10;

export function addInspect(root: Command, session: Session): void {
  const command = root
    .command("inspect <dataset>")
    .description("shards, samples, bytes, schema, and what the fields hold; reads all samples")
    .addHelpText("after", '\nExample:\n  shardstream inspect "train-{000000..000009}.tar"')
    .action((dataset: string, options: ReadOptions) => inspect(dataset, options, session));
  addReadOptions(command);
}

interface Found extends Pick<Samples, "members"> {
  readonly dataset: string;
  readonly reports: readonly (ShardReport & { readonly bytes: number | null })[];
  readonly samples: number;
  readonly fields: ReadonlyMap<string, FieldStatistics>;
  /** Declared, or inferred from the samples. */
  readonly schema: SchemaRecord | undefined;
  readonly isInferred: boolean;
}

async function inspect(dataset: string, options: ReadOptions, session: Session): Promise<void> {
  const opened = await openSamples(dataset, options, await readSchema(options.schema));
  const fields = new Map<string, FieldStatistics>();
  const look = (sample: readonly ShownField[]): void => {
    for (const { name, value, isFloat } of sample) {
      const field = fields.get(name) ?? new FieldStatistics();
      fields.set(name, field);
      field.add(value, isFloat ? "float" : kindOf(value));
    }
  };
  const reports: (ShardReport & { bytes: number | null })[] = [];
  for await (const report of passShards(opened.fields(), session, look)) {
    reports.push({ ...report, bytes: await bytesOf(report.shard) });
  }
  const samples = reports.reduce((sum, report) => sum + report.samples, 0);
  // The files of a sample are told by their extensions: there is no schema for them.
  const schema = opened.type?.toJSON() ?? (opened.members === "files" ? undefined : inferSchema(fields, samples));
  const found: Found = {
    dataset,
    members: opened.members,
    reports,
    samples,
    fields,
    schema,
    isInferred: opened.type === undefined,
  };
  session.foundProblem = reports.some(({ problems }) => problems.length > 0);
  if (options.json === true) await session.terminal.print(JSON.stringify(await asJson(found), null, 2));
  else await printFound(found, session);
}

/** Bytes of a shard as it is stored; null where they cannot be told. */
async function bytesOf(address: string): Promise<number | null> {
  try {
    if (schemeOf(address) === "file") return (await stat(localPath(address))).size;
    const bytes = await openBytes(address);
    await bytes.close();
    return bytes.size ?? null;
  } catch {
    return null; // what is wrong with it has been told by the pass
  }
}

async function asJson({ dataset, members, reports, samples, fields, schema, isInferred }: Found): Promise<unknown> {
  const problems: Problem[] = reports.flatMap((report) => report.problems);
  return {
    dataset,
    shards: reports.map(({ shard, samples, bytes }) => ({ shard, samples, bytes })),
    samples,
    bytes: totalBytes(reports),
    members,
    schema: schema ?? null,
    schemaIsInferred: isInferred,
    fields: await Promise.all(Array.from(fields, ([name, field]) => fieldJson(name, field, samples))),
    problems,
  };
}

async function printFound(
  { dataset, members, reports, samples, fields, isInferred }: Found,
  session: Session,
): Promise<void> {
  const { terminal } = session;
  const bytes = totalBytes(reports);
  await terminal.printText(dataset);
  await terminal.print(
    `  ${counted(reports.length, "shard")}, ${counted(samples, "sample")}${bytes === null ? "" : `, ${bytes} bytes`}`,
  );
  const rows = reports
    .slice(0, MOST_SHARDS)
    .map(({ shard, samples, bytes }) => [shard, counted(samples, "sample"), bytes === null ? "" : `${bytes} bytes`]);
  if (reports.length > 1) for (const line of showTable(rows)) await terminal.printText(`  ${line}`);
  if (reports.length > MOST_SHARDS) await terminal.print(`    ... and ${reports.length - MOST_SHARDS} more`);
  if (fields.size > 0) {
    const source =
      members === "files"
        ? "files of each sample, by extension"
        : isInferred
          ? "fields, as the samples hold them"
          : "fields";
    await terminal.print(`\n  ${source}`);
    const lines = Array.from(fields, ([name, field]) => [showText(name).slice(1, -1), ...fieldLine(field, samples)]);
    for (const line of showTable(lines)) await terminal.print(`  ${line}`);
  }
  if (session.foundProblem) await terminal.print("");
  for (const report of reports) await printProblems(report, terminal);
}

function totalBytes(reports: Found["reports"]): number | null {
  return reports.reduce<number | null>((sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes), 0);
}
