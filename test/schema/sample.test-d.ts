import type { DataOf, DType } from "../../src/schema/dtype.ts";
import { field, type Untyped } from "../../src/schema/field.ts";
import type { Complex, ItemOf } from "../../src/schema/items.ts";
import { NdArray } from "../../src/schema/ndarray.ts";
import { defineSample, type Infer, type InferInput } from "../../src/schema/sample.ts";
import type { sampleTypeOf } from "../../src/schema/sample-type-of.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

const Photo = defineSample("Photo", {
  pixels: field.ndarray("uint8", [null, null, 3]),
  any: field.ndarray(),
  label: field.string(),
  n: field.int(),
  big: field.int("bigint"),
  either: field.int("auto"),
  tags: field.list(field.list(field.bytes())),
  counts: field.dict(field.float()),
  loose: field.dict(),
  score: field.optional(field.bool()),
});
type Photo = Infer<typeof Photo>;

same<Photo["pixels"], NdArray<"uint8">>(true);
same<Photo["any"], NdArray<DType>>(true);
same<Photo["label"], string>(true);
same<Photo["n"], number>(true);
same<Photo["big"], bigint>(true);
same<Photo["either"], number | bigint>(true);
same<Photo["tags"], Uint8Array[][]>(true);
same<Photo["counts"], Record<string, number>>(true);
same<Photo["loose"], Record<string, Untyped>>(true);
same<Photo["score"], boolean | null>(true);
same<InferInput<typeof Photo>["score"], boolean | null | undefined>(true);
same<Infer<ReturnType<typeof sampleTypeOf>>, Record<string, unknown>>(true);

same<DataOf<"float32">, Float32Array>(true);
same<DataOf<"complex128">, Float64Array>(true);
same<DataOf<"uint64">, BigUint64Array>(true);
same<DataOf<"datetime64[ns]">, BigInt64Array>(true);
same<DataOf<"U3">, Uint8Array>(true);
same<ItemOf<"bool">, boolean>(true);
same<ItemOf<"int64">, bigint>(true);
same<ItemOf<"complex64">, Complex>(true);
same<ItemOf<"U3">, string>(true);
same<ItemOf<"S3">, Uint8Array>(true);
same<ItemOf<"float16">, number>(true);

const bytes = new NdArray("uint8", [1], new Uint8Array(1));
same<ReturnType<typeof bytes.at>, number>(true);
/** An array of a known dtype is one of any dtype. */
export const wide: NdArray = bytes;

// @ts-expect-error there is no such dtype
field.ndarray("float31");
// @ts-expect-error the data of float32 is a Float32Array
new NdArray("float32", [1], new Uint8Array(1));
// @ts-expect-error an array of floats is none of bytes
export const narrow: NdArray<"uint8"> = NdArray.from([1], "float32");
// @ts-expect-error text is no item of float32
NdArray.from(["1"], "float32");
// @ts-expect-error bigints are for field.int("bigint")
export const number: Photo["n"] = 1n;
// @ts-expect-error only a field as a whole may be optional
field.list(field.optional(field.string()));
