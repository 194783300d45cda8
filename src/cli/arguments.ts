import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { PipelineError, type SampleType, sampleTypeOf } from "../index.ts";

/** Options of all commands that read a dataset. */
export interface ReadOptions {
  readonly json?: true;
  readonly schema?: string;
  readonly members: "auto" | "msgpack" | "files";
  readonly endMarker: "optional" | "required";
}

export function membersOption(): Option {
  return new Option("--members <what>", "what a sample is: its .msgpack file, or all files of its key")
    .choices(["auto", "msgpack", "files"])
    .default("auto", "as the first sample is");
}

/** Adds the options of {@link ReadOptions}, but `--json`, which every command has. */
export function addReadOptions(command: Command): Command {
  return command
    .option("--schema <file>", "a schema record (JSON): read the samples as it says")
    .addOption(membersOption())
    .addOption(
      new Option("--end-marker <need>", "whether a shard must end with two zero blocks")
        .choices(["optional", "required"])
        .default("required"),
    );
}

/** The sample type that a schema file describes; undefined where no file is named. */
export async function readSchema(path: string | undefined): Promise<SampleType<Record<string, unknown>> | undefined> {
  if (path === undefined) return undefined;
  let record: unknown;
  try {
    record = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new PipelineError(
      "SCHEMA_INVALID",
      `Cannot read schema "${path}": ${code === "ENOENT" ? "no such file" : message}`,
      {
        hint: "name a JSON file with a schema record, such as the schema of: shardstream inspect DATASET --json",
        cause,
      },
    );
  }
  return sampleTypeOf(record);
}

/** Parses a whole number for commander. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("It must be a whole number.");
}

/** Parses a whole number above 0 for commander. */
export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("It must be above 0.");
}
