import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { PipelineErrorCode } from "../../src/errors.ts";
import type { ExpectedCase } from "./expected.ts";
import { dictView, read, typedView } from "./read.ts";

const folder = fileURLToPath(new URL("../fixtures/atdata/corrupt/", import.meta.url));
const { cases, schema } = JSON.parse(readFileSync(`${folder}expected.json`, "utf8"));
const all = (cases as ExpectedCase[]).map(({ file }) => file);
const arrays = all.filter((file) => file.startsWith("ndarray_") && !/_dtype_(alias|native_order)/.test(file));

type Damage = readonly [file: string, code: PipelineErrorCode, before: readonly string[], skipping: readonly string[]];

/** What is odd and costs nothing. */
const FINE = [
  ...[
    "good.tar",
    "only_zeros.tar",
    "gzip_trailing_garbage.tar.gz",
    "msgpack_trailing.tar",
    "msgpack_duplicate_map_key.tar",
  ],
  ...["duplicated_key_apart.tar", "ndarray_dtype_alias.tar", "ndarray_dtype_native_order.tar"],
];

/** The rest of the shard is lost: the same samples come out whether faults end the pass or are skipped. */
const OF_SHARDS: readonly Damage[] = (
  [
    ["truncated_header.tar", "SHARD_TRUNCATED", ["000"]],
    ["truncated_body.tar", "SHARD_TRUNCATED", ["000"]],
    ["truncated_padding.tar", "SHARD_TRUNCATED", ["000", "001", "002"]],
    ["first_header_truncated.tar", "SHARD_TRUNCATED", []],
    ["zero_length.tar", "SHARD_TRUNCATED", []],
    ["truncated_gzip.tar.gz", "SHARD_TRUNCATED", []],
    ["bad_checksum_second.tar", "SHARD_CORRUPT", ["000"]],
    ["bad_checksum_first.tar", "SHARD_CORRUPT", []],
    ["flipped_name_byte.tar", "SHARD_CORRUPT", ["000"]],
    ["huge_size_octal.tar", "SHARD_CORRUPT", []],
    ["huge_size_base256.tar", "SHARD_CORRUPT", []],
    ["negative_size_base256.tar", "SHARD_CORRUPT", []],
    ["non_octal_size.tar", "SHARD_CORRUPT", []],
    ["not_a_tar.tar", "SHARD_CORRUPT", []],
    ["html.tar", "SHARD_CORRUPT", []],
    ["gzip_bad_crc.tar.gz", "SHARD_CORRUPT", ["000", "001", "002"]],
  ] as const
).map(([file, code, keys]) => [file, code, keys, keys]);

/** One sample is lost; the two arrays of keys are the samples before it, and all others. */
const second = (file: string, code: PipelineErrorCode): Damage => [file, code, ["000"], ["000", "002"]];
const OF_SAMPLES: readonly Damage[] = [
  ["flipped_payload_byte.tar", "SAMPLE_CORRUPT", [], ["001", "002"]],
  ["duplicated_key_adjacent.tar", "SAMPLE_CORRUPT", ["000", "001"], ["000", "001"]],
  ...["garbage", "truncated", "empty", "not_map", "reserved_c1", "int_keys", "ext", "timestamp", "invalid_utf8"].map(
    (name) => second(`msgpack_${name}.tar`, "SAMPLE_CORRUPT"),
  ),
  ...["huge_declared", "huge_array", "deep"].map((name) => second(`msgpack_${name}.tar`, "SAMPLE_CORRUPT")),
  second("no_msgpack_member.tar", "SAMPLE_CORRUPT"),
];
const OF_TYPES: readonly Damage[] = [
  ...[
    "wrong_type_str",
    "wrong_type_int",
    "wrong_type_array_str",
    "wrong_type_array_list",
    "missing_field",
    "extra_field",
  ].map((name) => second(`${name}.tar`, "SCHEMA_MISMATCH")),
  second("null_field.tar", "SCHEMA_MISMATCH"),
  ...arrays.map((file) => second(file, "ARRAY_CORRUPT")),
];

describe("a damaged shard", () => {
  it("has an expectation here, whichever it is", () => {
    const expected = [...FINE, ...[...OF_SHARDS, ...OF_SAMPLES, ...OF_TYPES].map(([file]) => file)];
    expect(expected.sort()).toEqual([...all].sort());
  });

  it.each(FINE)("%s is read whole, typed and untyped", async (file) => {
    for (const view of [dictView, typedView(schema)]) {
      const { error, skipped } = await read(view, folder + file);
      expect([error, skipped]).toEqual([undefined, []]);
    }
  });

  it.each([...OF_SHARDS, ...OF_SAMPLES])("%s is %s, and loses nothing else", (...damage) => check(dictView, ...damage));

  it.each([...OF_SHARDS, ...OF_TYPES])("%s is %s for a type, and loses nothing else", (...damage) =>
    check(typedView(schema), ...damage),
  );

  it.each(OF_TYPES)("%s is no damage without a type", async (file) => {
    expect(await read(dictView, folder + file)).toMatchObject({ keys: ["000", "001", "002"], skipped: [] });
  });
});

async function check(view: typeof dictView, ...[file, code, before, others]: Damage): Promise<void> {
  const raised = await read(view, folder + file);
  expect(raised.keys).toEqual(before);
  expect(raised.error?.code).toBe(code);
  // What a user needs: which shard, what about it, and what to do.
  expect(raised.error?.message).toContain(file);
  expect(raised.error?.facts.url).toContain(file);
  expect(raised.error?.hint).toMatch(/\w{3}/);
  const skipped = await read(view, folder + file, { onError: "skip" });
  expect(skipped.error).toBeUndefined();
  expect(skipped.keys).toEqual(others);
  expect(skipped.skipped.map((error) => error.code)).toEqual([code]);
}
