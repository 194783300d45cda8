import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Canonical, CanonicalSample } from "../../src/codec/canonical.ts";

/** What Python read: all samples up to its error, if there is one. */
export interface PythonView<S> {
  readonly samples: readonly S[];
  readonly error: unknown;
}

/** The files of a sample in canonical JSON; "see payloads" stands for a msgpack file. */
export type ExpectedFiles = Readonly<Record<string, Canonical>>;

export interface ExpectedPayload {
  readonly key: string;
  readonly length: number;
  readonly sha256: string;
  readonly base64?: string;
}

/** One shard of an `expected.json`. What is absent was not recorded. */
export interface ExpectedShard {
  readonly file: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly members?: readonly { readonly name: string; readonly type: string; readonly size: number }[];
  readonly payloads?: readonly ExpectedPayload[];
  readonly webdataset?: PythonView<{ readonly key: string; readonly fields: ExpectedFiles }>;
  readonly dict?: PythonView<CanonicalSample>;
  readonly typed?: PythonView<CanonicalSample>;
  readonly typed_from_schema?: PythonView<CanonicalSample>;
  /** Of this shard alone; else that of the folder. */
  readonly schema?: unknown;
}

/** A damaged shard: webdataset's samples are only told by their keys. */
export interface ExpectedCase extends Omit<ExpectedShard, "webdataset"> {
  readonly webdataset?: { readonly keys: readonly string[]; readonly error: unknown };
}

/** A folder of shards and what Python reads from them. */
export interface ExpectedFolder {
  readonly path: string;
  readonly name: string;
  readonly schema: unknown;
  readonly shards: readonly ExpectedShard[];
  readonly cases: readonly ExpectedCase[];
  readonly batches?: readonly Readonly<Record<string, Canonical>>[];
  readonly batchSize: number;
  readonly whole?: PythonView<CanonicalSample>;
  readonly decoded?: readonly Readonly<Record<string, Canonical>>[];
  /** Bytes on their own, and the array that Python reads from them; no value where it fails. */
  readonly arrays: readonly { readonly name: string; readonly bytes: string; readonly value?: Canonical }[];
  readonly sampleCount?: number;
  /** What else is recorded, and waits for the part of the library that it is about. */
  readonly later: readonly string[];
}

const COMPARED = new Set([
  ...["note", "arguments", "schema", "shards", "batch_size", "batches", "whole", "decoded", "good_sample_values"],
  ...["bytes_to_array", "sample_count"],
]);

/** The folder itself, or the folders in it, that have an `expected.json`. */
export function findFolders(path: string): ExpectedFolder[] {
  if (existsSync(join(path, "expected.json"))) return [readFolder(path)];
  const names = existsSync(path) ? readdirSync(path).sort() : [];
  const found = names.filter((name) => existsSync(join(path, name, "expected.json")));
  return found.map((name) => readFolder(join(path, name)));
}

function readFolder(path: string): ExpectedFolder {
  const json = JSON.parse(readFileSync(join(path, "expected.json"), "utf8"));
  const cases: readonly ExpectedCase[] = (json.cases ?? []).filter((one: object) => "file" in one);
  return {
    path,
    name: basename(path),
    schema: json.schema,
    shards: Object.values(json.shards ?? {}), // a list, or by name
    cases,
    batches: json.batches,
    batchSize: json.batch_size,
    whole: json.whole,
    decoded: json.decoded,
    arrays: json.bytes_to_array ?? [],
    sampleCount: json.sample_count,
    later: Object.keys(json).filter((key) => !COMPARED.has(key) && !(key === "cases" && cases.length > 0)),
  };
}
