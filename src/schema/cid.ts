import { describe, isPlainObject } from "./plain.ts";
import type { SchemaRecord } from "./record.ts";

/**
 * Content identifier of plain data: CIDv1 of its DAG-CBOR under SHA-256, as text (`bafyrei…`), equal to atdata's
 * `generate_cid`. Numbers without a fraction count as integers (Python tells `1` from `1.0`, JavaScript cannot), bigints as
 * integers always; keys are sorted, so their order does not matter.
 *
 * @example
 * ```ts
 * await contentCid({ a: 1 }); // "bafyreihltcnuuyqp2jm24aqydpnlj7b6w3ogwrplomrjtg5rifv44mmjey"
 * ```
 * @throws {TypeError} If a value is `undefined`, or nothing that DAG-CBOR knows.
 * @throws {RangeError} If a number is NaN, infinite, or an integer outside of -2^64 to 2^64-1.
 */
export async function contentCid(value: unknown): Promise<string> {
  check(value, "", 0);
  return bytesCid((await import("@ipld/dag-cbor")).encode(value));
}

/** Content identifier of a schema record; a `createdAt` in it would count, so leave it out. */
export function schemaCid(record: SchemaRecord): Promise<string> {
  return contentCid(record);
}

/** Content identifier of bytes that are taken for DAG-CBOR as they are, as atdata's `generate_cid_from_bytes`. */
export async function bytesCid(bytes: Uint8Array): Promise<string> {
  const [{ CID }, { sha256 }] = await Promise.all([import("multiformats/cid"), import("multiformats/hashes/sha2")]);
  return CID.createV1(0x71, await sha256.digest(bytes)).toString();
}

const FIRST_INT = -(2n ** 64n);
const LAST_INT = 2n ** 64n - 1n;
/** Deeper than any record, and an end for values that hold themselves. */
const MAX_DEPTH = 1000;

/** The encoder's own errors do not say where; this one does. */
function check(value: unknown, path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw fault(RangeError, path, `is nested more than ${MAX_DEPTH} deep`);
  if (value === null || typeof value === "boolean" || value instanceof Uint8Array) return;
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw fault(TypeError, path, "holds half a surrogate pair, which UTF-8 cannot spell");
  } else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw fault(RangeError, path, `is ${value}, which DAG-CBOR does not have`);
  } else if (typeof value === "bigint") {
    if (value < FIRST_INT || value > LAST_INT) throw fault(RangeError, path, `is ${value}, outside of -2^64 to 2^64-1`);
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) check(value[index], `${path}[${index}]`, depth + 1);
  } else if (isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      check(key, path, depth + 1);
      check(item, path === "" ? key : `${path}.${key}`, depth + 1);
    }
  } else {
    throw fault(TypeError, path, `is ${describe(value)}`);
  }
}

function fault(Kind: typeof TypeError | typeof RangeError, path: string, problem: string): Error {
  return new Kind(`Cannot make a content identifier: ${path === "" ? "the value" : `"${path}"`} ${problem}`);
}
