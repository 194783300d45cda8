import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { canonicalOfFiles } from "../../src/cli/spell-files.ts";
import { decodeArray } from "../../src/codec/array.ts";
import { type Canonical, type CanonicalSample, canonicalOfSample } from "../../src/codec/canonical.ts";
import {
  type Batch,
  dataset,
  NdArray,
  PipelineError,
  rawSamples,
  type SampleType,
  sampleTypeOf,
} from "../../src/index.ts";
import type { ExpectedFolder } from "./expected.ts";
import { type Difference, sameAsPython } from "./rules.ts";
import { type Check, caseChecks, shardChecks } from "./shard-checks.ts";
import { equalTyped } from "./typed.ts";

/** Everything that can be compared in a folder. */
export function checksOf(folder: ExpectedFolder): Check[] {
  const { path, schema, shards, cases, whole, batches, decoded, arrays, sampleCount } = folder;
  const files = shards.map(({ file }) => join(path, file));
  const good = cases.find(({ file }) => file === "good.tar");
  const checks = [
    ...shards.flatMap((shard) => shardChecks(path, shard, shard.schema ?? schema)),
    ...cases.flatMap((one) => caseChecks(path, one, schema, good)),
  ];
  const add = (what: string, run: Check["run"]) => checks.push({ shard: "", what, run });
  if (whole !== undefined) {
    add("whole", async () => {
      const samples = await spelled(files, sampleTypeOf(schema));
      return sameAsPython(whole, { samples, keys: [], skipped: [] }, equalTyped(schema, []));
    });
  }
  if (batches !== undefined) add("batches", () => sameBatches(folder, files));
  if (decoded !== undefined) add("decoded", () => sameDecoded(decoded, files));
  if (sampleCount !== undefined) {
    add("sample count", async () => {
      const got = await dataset(files).count();
      return got === sampleCount ? undefined : { expected: sampleCount, got };
    });
  }
  for (const { name, bytes, value } of arrays)
    add(`array ${name}`, () => sameArray(Buffer.from(bytes, "base64"), value));
  return checks;
}

function spelled(files: readonly string[], type: SampleType<Record<string, unknown>>): Promise<CanonicalSample[]> {
  return dataset(files, type)
    .map((sample) => canonicalOfSample(type, sample))
    .toArray();
}

async function sameBatches(
  { schema, batches, batchSize }: ExpectedFolder,
  files: readonly string[],
): Promise<Difference | undefined> {
  const type = sampleTypeOf(schema);
  const got = await dataset(files, type)
    .batch(batchSize)
    .map((batch) => columnsOf(batch, type))
    .toArray();
  return sameAsPython({ samples: batches!, error: null }, { samples: got, keys: [], skipped: [] });
}

/** The columns of a batch: arrays stacked, all else as lists. */
async function columnsOf(
  batch: Batch<Record<string, unknown>>,
  type: SampleType<Record<string, unknown>>,
): Promise<Record<string, Canonical>> {
  const samples = await Promise.all(Array.from(batch, (sample) => canonicalOfSample(type, sample)));
  const columns: Record<string, Canonical> = {};
  for (const { name, spec } of type.fields) {
    const column = batch.column(name);
    if (column instanceof NdArray && spec.kind === "ndarray") {
      const stacked = { fields: [{ name, spec: { kind: "ndarray" } as const, optional: false }] };
      columns[name] = (await canonicalOfSample(stacked, { [name]: column }))[name]!;
    } else columns[name] = samples.map((sample) => sample[name]!);
  }
  return columns;
}

/** The files of samples, decoded by extension: those of the first shard that has as many samples. */
async function sameDecoded(
  decoded: NonNullable<ExpectedFolder["decoded"]>,
  files: readonly string[],
): Promise<Difference | undefined> {
  for (const file of files) {
    const got = await rawSamples([file])
      .map(async ({ key, parts }) => ({ __key__: key, ...(await canonicalOfFiles(parts)) }))
      .toArray();
    if (got.length === decoded.length)
      return sameAsPython({ samples: decoded, error: null }, { samples: got, keys: [], skipped: [] });
  }
  return { expected: decoded[0], got: "no shard with as many samples" };
}

/** An array on its own. We may refuse what Python lets pass, such as a negative length that it works out itself. */
async function sameArray(bytes: Uint8Array, value: Canonical | undefined): Promise<Difference | undefined> {
  let array: NdArray;
  try {
    array = decodeArray(bytes);
  } catch (error) {
    const isRefused =
      error instanceof PipelineError && (error.code === "ARRAY_CORRUPT" || error.code === "UNSUPPORTED");
    return isRefused ? undefined : { expected: "an error of code ARRAY_CORRUPT or UNSUPPORTED", got: error };
  }
  const type = { fields: [{ name: "array", spec: { kind: "ndarray" } as const, optional: false }] };
  const { array: got } = await canonicalOfSample(type, { array });
  return isDeepStrictEqual(got, value) ? undefined : { expected: value ?? "an error, as Python's", got };
}
