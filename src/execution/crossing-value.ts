import { DictSample } from "../codec/dict-sample.ts";
import { setField } from "../schema/columns.ts";
import type { DType } from "../schema/dtype.ts";
import { NdArray } from "../schema/ndarray.ts";
import { isPlainObject } from "../schema/plain.ts";
import type { Input } from "../streams/trace.ts";
import type { CrossingInput } from "./messages.ts";

/** Stands for a value whose class would be lost, or that would be dear to send. */
type Stand =
  | {
      readonly "~": "ndarray";
      readonly dtype: string;
      readonly shape: readonly number[];
      readonly order: "<" | ">" | "|";
      readonly data: unknown;
    }
  | { readonly "~": "items"; readonly of: string; readonly buffer: ArrayBuffer }
  | { readonly "~": "sample"; readonly buffer: ArrayBuffer }
  /** An object that has a field of that name itself. */
  | { readonly "~": "object"; readonly entries: readonly (readonly [string, unknown])[] };

interface ItemsClass {
  readonly name: string;
  new (buffer: ArrayBuffer): ArrayBufferView;
}

/**
 * A value as it can be cloned to another thread: what it is made of keeps its class. Typed arrays go as buffers of their own,
 * as a clone takes all of the memory that a view lies in, and Deno goes through them item by item (60 ms for 1 MiB).
 */
export function toCrossingValue(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(toCrossingValue);
  if (value instanceof NdArray) {
    const { dtype, shape, byteOrder, data } = value;
    return { "~": "ndarray", dtype, shape, order: byteOrder, data: toCrossingValue(data) } satisfies Stand;
  }
  if (value instanceof DictSample) return { "~": "sample", buffer: copyOf(value.bytes) } satisfies Stand;
  if (ArrayBuffer.isView(value)) {
    return { "~": "items", of: value.constructor.name, buffer: copyOf(value) } satisfies Stand;
  }
  if (!isPlainObject(value)) return value;
  if ("~" in value) {
    return {
      "~": "object",
      entries: Object.entries(value).map(([key, inner]) => [key, toCrossingValue(inner)]),
    } satisfies Stand;
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) setField(copy, key, toCrossingValue(value[key]));
  return copy;
}

export function fromCrossingValue(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = fromCrossingValue(value[i]);
    return value;
  }
  if (!isPlainObject(value)) return value;
  if ("~" in value) return fromStand(value as unknown as Stand);
  const own = value as Record<string, unknown>;
  for (const key of Object.keys(own)) {
    const inner = own[key];
    if (typeof inner === "object" && inner !== null) setField(own, key, fromCrossingValue(inner));
  }
  return own;
}

function fromStand(stand: Stand): unknown {
  switch (stand["~"]) {
    case "ndarray":
      return new NdArray(stand.dtype as DType, stand.shape, fromCrossingValue(stand.data) as never, stand.order);
    case "sample":
      return new DictSample(new Uint8Array(stand.buffer));
    case "items":
      return new (itemsClass(stand.of))(stand.buffer);
    case "object": {
      const object: Record<string, unknown> = {};
      for (const [key, inner] of stand.entries) setField(object, key, fromCrossingValue(inner));
      return object;
    }
  }
}

function copyOf(view: ArrayBufferView): ArrayBuffer {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;
}

/** What rows were made of, in memory of its own. */
export function toCrossingInputs(inputs: readonly Input[]): CrossingInput[] {
  return inputs.map(({ origin, stored }) => {
    if (stored === undefined) return { origin };
    return {
      origin,
      stored: "bytes" in stored ? { ...stored, bytes: stored.bytes.slice() } : { value: toCrossingValue(stored.value) },
    };
  });
}

export function fromCrossingInputs(inputs: readonly CrossingInput[]): Input[] {
  return inputs.map(({ origin, stored }) => ({
    origin,
    stored: stored === undefined || "bytes" in stored ? stored : { value: fromCrossingValue(stored.value) },
  }));
}

/** Bytes of a value, as far as they matter for how much is sent at once. */
export function weightOf(value: unknown, depth = 0): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (value instanceof NdArray) return value.data.byteLength;
  if (value instanceof DictSample) return value.bytes.length;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (depth > 4) return 8;
  let weight = 8;
  for (const inner of Object.values(value)) weight += weightOf(inner, depth + 1);
  return weight;
}

/** Node's Buffer and the like come back as Uint8Array. */
function itemsClass(name: string): ItemsClass {
  const known = globalThis as unknown as Record<string, ItemsClass>;
  return /^(?:(?:Big)?(?:Ui|I)nt\d+|Float\d+|Uint8Clamped)Array$|^DataView$/.test(name) ? known[name]! : Uint8Array;
}
