import { describe, expect, it } from "vitest";
import { layoutOf } from "../../src/schema/dtype.ts";
import { NdArray } from "../../src/schema/ndarray.ts";
import { fromHex, type Json } from "../codec/fixtures.ts";
// [dtype, shape, bytes as hex, str(array)] from numpy 2.4.6
import table from "./numpy-text.json" with { type: "json" };

describe("NdArray.toString()", () => {
  it.each<[string, Json]>(table.map((row: Json) => [row[3], row]))(
    "prints %s as numpy does",
    (text, [dtype, shape, hex]) => {
      const { Data, bytes, width } = layoutOf(dtype);
      const { buffer, byteLength } = fromHex(hex);
      expect(String(new NdArray(dtype, shape, new Data(buffer, 0, (byteLength / bytes) * width) as never))).toBe(text);
    },
  );

  const count = (...shape: number[]): NdArray =>
    NdArray.from(
      Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
      "int32",
    ).reshape(...shape);

  it("shows only the edges of more than 1000 items", () => {
    expect(String(count(1001))).toBe("[   0    1    2 ...  998  999 1000]");
    expect(String(count(2, 1000))).toBe("[[   0    1    2 ...  997  998  999]\n [1000 1001 1002 ... 1997 1998 1999]]");
    const blocks = String(count(20, 20, 20)).split("\n\n");
    expect(blocks).toHaveLength(7);
    expect(blocks[0]).toBe(
      "[[[   0    1    2 ...   17   18   19]\n  [  20   21   22 ...   37   38   39]\n  [  40   41   42 ...   57   58   59]\n  ...\n" +
        "  [ 340  341  342 ...  357  358  359]\n  [ 360  361  362 ...  377  378  379]\n  [ 380  381  382 ...  397  398  399]]",
    );
    expect(blocks[3]).toBe(" ...");
    expect(String(count(1000)).split("\n")).toHaveLength(56);
  });

  it("prints what numpy has other words for: times as counts, raw items as hex", () => {
    expect(String(NdArray.from([1n, -(2n ** 63n)], "datetime64[ns]"))).toBe("[  1 NaT]");
    expect(String(NdArray.from([Uint8Array.of(1, 255)], "V2"))).toBe("[0x01ff]");
  });
});
