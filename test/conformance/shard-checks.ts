import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { canonicalOfBytes } from "../../src/cli/spell-files.ts";
import type { CanonicalSample } from "../../src/codec/canonical.ts";
import { viewOf } from "../../src/codec/msgpack.ts";
import { SampleWriter } from "../../src/codec/writer.ts";
import { dataset, sampleTypeOf } from "../../src/index.ts";
import type { ExpectedCase, ExpectedPayload, ExpectedShard, PythonView } from "./expected.ts";
import { dictView, type Outcome, rawView, read, readComplete, typedView, type View } from "./read.ts";
import { type Difference, type Goodness, noWorseThanPython, sameAsPython } from "./rules.ts";
import { equalTyped, waitsForFormats } from "./typed.ts";

/** One thing that must be as recorded. */
export interface Check {
  /** Path of the shard inside of its folder; "" for what is about all of them. */
  readonly shard: string;
  readonly what: string;
  /** Nothing, when it is as recorded. */
  run(): Promise<Difference | undefined>;
}

type Views = Pick<ExpectedShard, "file" | "size" | "sha256" | "dict" | "typed" | "typed_from_schema">;

/** The checks of a shard that Python wrote, or accepts. */
export function shardChecks(folder: string, shard: ExpectedShard, schema: unknown): Check[] {
  const { file, members, payloads, webdataset, dict } = shard;
  const path = join(folder, file);
  const checks: Check[] = [fileCheck(path, shard)];
  const add = (what: string, run: Check["run"]) => checks.push({ shard: file, what, run });
  if (webdataset !== undefined) {
    const { error } = webdataset;
    add("webdataset", async () => {
      const outcome = await readFor(webdataset, filesView, path);
      return sameAsPython(
        webdataset,
        readsMore(path) ? cutLike(webdataset, outcome) : outcome,
        equalFiles(payloads ?? []),
      );
    });
    if (payloads !== undefined)
      add("payloads", async () => sameAsPython({ samples: payloads.map(told), error }, await readPayloads(path)));
    if (members !== undefined && error === null) {
      add("members", async () => sameAsPython({ samples: partsOf(members), error }, await readParts(path)));
    }
  }
  if (dict !== undefined) add("dict", async () => sameAsPython(dict, await readFor(dict, dictView, path)));
  for (const what of ["typed", "typed_from_schema"] as const) {
    const python = shard[what];
    if (python === undefined || schema === undefined || waitsForFormats(schema, python)) continue;
    const equal = equalTyped(schema, dict?.samples ?? []);
    add(what, async () => sameAsPython(python, await readFor(python, typedView(schema), path), equal));
  }
  const { typed } = shard;
  if (typed?.error === null && payloads !== undefined && schema !== undefined && !payloads.some(holdsNpy)) {
    add("written", () => sameWritten(payloads, path, schema));
  }
  return checks;
}

/** The checks of a damaged shard; `good` is the shard that all of them were made from. */
export function caseChecks(
  folder: string,
  one: ExpectedCase,
  schema: unknown,
  good: ExpectedCase | undefined,
): Check[] {
  const { file, webdataset } = one;
  const path = join(folder, file);
  const checks: Check[] = [fileCheck(path, one)];
  const add = (what: string, run: Check["run"]) => checks.push({ shard: file, what, run });
  const isKnown = (what: "dict" | "typed") => (sample: unknown) =>
    good?.[what]?.samples.some((other) => isDeepStrictEqual(sample, other));
  if (webdataset !== undefined) {
    const keys: View<string> = (files, options) => rawView(files, options).map(({ key }) => key);
    const goodness: Goodness<string, string> = {
      isNeeded: (_, index) => isKnown("dict")(one.dict?.samples[index]) ?? false,
      isGood: (key) => good?.webdataset?.keys.includes(key) ?? true,
    };
    add("webdataset", () => noWorse({ samples: webdataset.keys, error: webdataset.error }, keys, path, goodness));
  }
  for (const what of ["dict", "typed"] as const) {
    const python = one[what];
    if (python === undefined) continue;
    const goodness = {
      isNeeded: (sample: CanonicalSample) => isKnown(what)(sample) ?? false,
      isGood: (sample: CanonicalSample) => isKnown(what)(sample) ?? true,
    };
    add(what, () => noWorse(python, what === "dict" ? dictView : typedView(schema), path, goodness));
  }
  return checks;
}

async function noWorse<S>(python: PythonView<S>, view: View<S>, path: string, goodness: Goodness<S, S>) {
  return noWorseThanPython(python, await read(view, path), await read(view, path, { onError: "skip" }), goodness);
}

const readFor = <S>(python: PythonView<unknown>, view: View<S>, path: string) =>
  python.error === null ? readComplete(view, path) : read(view, path);

function fileCheck(path: string, { file, size, sha256 }: Views): Check {
  const run = async (): Promise<Difference | undefined> => {
    const bytes = readFileSync(path);
    const got = { size: bytes.length, sha256: sha256Of(bytes) };
    const expected = { size: size ?? got.size, sha256: sha256 ?? got.sha256 };
    return isDeepStrictEqual(expected, got) ? undefined : { expected, got };
  };
  return { shard: file, what: "file", run };
}

interface SpelledFiles {
  readonly key: string;
  readonly fields: CanonicalSample;
  /** Digest of the msgpack file. */
  readonly sha256: string;
}

const filesView: View<SpelledFiles> = (files, options) =>
  rawView(files, options).map(async ({ key, parts }) => {
    return { key, fields: await canonicalOfBytes(parts), sha256: sha256Of(parts.get("msgpack") ?? new Uint8Array()) };
  });

function equalFiles(payloads: readonly ExpectedPayload[]) {
  return ({ key, fields }: { key: string; fields: object }, got: SpelledFiles): boolean => {
    const seen = payloads.some((payload) => payload.key === key && payload.sha256 === got.sha256);
    const same = (name: string, value: unknown) =>
      value === "see payloads" ? seen : isDeepStrictEqual(value, got.fields[name]);
    const names = Object.keys(got.fields).length === Object.keys(fields).length;
    return key === got.key && names && Object.entries(fields).every(([name, value]) => same(name, value));
  };
}

async function readPayloads(path: string) {
  const { samples, ...rest } = await readComplete(rawView, path);
  const payloads = samples.flatMap(({ key, parts }) =>
    parts.has("msgpack") ? [{ key, ...digest(parts.get("msgpack")!) }] : [],
  );
  return { ...rest, samples: payloads };
}

const told = ({ key, length, sha256 }: ExpectedPayload) => ({ key, length, sha256 });

/** Python reads only the first stream of a gzip file, and we all. */
function readsMore(path: string): boolean {
  const bytes = readFileSync(path);
  const head = Buffer.from([0x1f, 0x8b, 0x08]);
  return bytes.subarray(0, 3).equals(head) && bytes.includes(head, 3);
}

/** What of ours Python came to: the same number of samples, the last with the files that it saw. */
function cutLike(
  { samples }: NonNullable<ExpectedShard["webdataset"]>,
  outcome: Outcome<SpelledFiles>,
): Outcome<SpelledFiles> {
  const ours = outcome.samples.slice(0, samples.length);
  const last = ours.pop();
  if (last === undefined) return outcome;
  const seen = Object.keys(samples.at(-1)!.fields);
  const fields = Object.fromEntries(Object.entries(last.fields).filter(([name]) => seen.includes(name)));
  return { ...outcome, samples: [...ours, { ...last, fields }] };
}

/** Samples of a type that are encoded again are the same to the byte. */
async function sameWritten(payloads: readonly ExpectedPayload[], path: string, schema: unknown) {
  const type = sampleTypeOf(schema);
  const writer = new SampleWriter(type);
  const got: object[] = [];
  for (const sample of await dataset([path], type).toArray()) {
    const bytes = new Uint8Array(writer.room(sample));
    got.push(digest(bytes.subarray(0, writer.write(bytes, viewOf(bytes), 0))));
  }
  const expected = payloads.map(({ length, sha256 }) => ({ length, sha256 }));
  return sameAsPython({ samples: expected, error: null }, { samples: got, keys: [], skipped: [] });
}

const NPY = Buffer.from("\x93NUMPY", "latin1");
/** What is read from a `.npy` is written in the compact format. */
const holdsNpy = ({ base64 = "" }: ExpectedPayload): boolean => Buffer.from(base64, "base64").includes(NPY);

type PartName = readonly [key: string, extension: string, size: number];

/** webdataset's rule for names: `__meta__` and its like are passed over, and what has no dot in its last component. */
function partsOf(members: NonNullable<ExpectedShard["members"]>): PartName[] {
  return members.flatMap(({ name, type, size }) => {
    const [, key, extension] = /^((?:.*\/|)[^.]+)[.]([^/]*)$/s.exec(name) ?? [];
    const isSample = ["0", "\\0", "7"].includes(type) && !/^__[^/]*__($|\/)/.test(name);
    return isSample && key !== undefined ? [[key, extension!.toLowerCase(), size] as const] : [];
  });
}

async function readParts(path: string) {
  const { samples, ...rest } = await readComplete(rawView, path);
  const parts = samples.flatMap(({ key, parts }) =>
    Array.from(parts, ([name, bytes]): PartName => [key, name, bytes.length]),
  );
  return { ...rest, samples: parts };
}

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const digest = (bytes: Uint8Array) => ({ length: bytes.length, sha256: sha256Of(bytes) });
