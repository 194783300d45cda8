import { isDeepStrictEqual } from "node:util";
import type { Canonical, CanonicalSample } from "../../src/codec/canonical.ts";
import { sampleTypeOf } from "../../src/index.ts";
import type { PythonView } from "./expected.ts";

/** Array formats that this library does not read yet; its types leave such fields as bytes. */
const FORMATS = new Set(["$structured", "$sparse", "$tensor", "$arrow_tensor", "$safetensors", "$dataframe"]);

/**
 * Compares samples of a type with what Python has. Fields in a format that waits are compared as bytes, as are arrays that
 * Python left as bytes (it does so where an annotation is not exactly `NDArray`). A whole number in a float field, which Python
 * does not mind, is that float.
 */
export function equalTyped(schema: unknown, untyped: readonly CanonicalSample[]) {
  const specs = new Map(sampleTypeOf(schema).fields.map(({ name, spec }) => [name, spec]));
  const same = (
    name: string,
    expected: Canonical,
    got: Canonical | undefined,
    bytes: Canonical | undefined,
  ): boolean => {
    const spec = specs.get(name);
    const isFormat = FORMATS.has(tagOf(expected)) || (spec?.kind === "bytes" && spec.format !== undefined);
    if (isFormat) return isDeepStrictEqual(bytes, got);
    if (tagOf(expected) === "$bytes" && got !== undefined && tagOf(got) === "$ndarray")
      return isDeepStrictEqual(expected, bytes);
    if (spec?.kind === "float" && tagOf(expected) === "$int" && tagOf(got ?? null) === "$float") {
      const [whole, float] = [expected as { $int: string }, got as { $float: string }];
      return Number(whole.$int) === Buffer.from(float.$float, "hex").readDoubleBE();
    }
    return isDeepStrictEqual(expected, got);
  };
  return (expected: CanonicalSample, got: CanonicalSample, index: number): boolean =>
    isDeepStrictEqual(Object.keys(expected).sort(), Object.keys(got).sort()) &&
    Object.entries(expected).every(([name, value]) => same(name, value, got[name], untyped[index]?.[name]));
}

/** Whether an array field holds a format that waits: then a reader of arrays has to refuse it for now. */
export function waitsForFormats(schema: unknown, { samples }: PythonView<CanonicalSample>): boolean {
  const arrays = sampleTypeOf(schema).fields.filter(({ spec }) => spec.kind === "ndarray");
  return samples.some((sample) => arrays.some(({ name }) => FORMATS.has(tagOf(sample[name] ?? null))));
}

/** `$int` and the like; "" for what JSON has a spelling for. */
function tagOf(value: Canonical): string {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (Object.keys(value)[0] ?? "") : "";
}
