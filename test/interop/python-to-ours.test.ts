import { join } from "node:path";
import { expect, it } from "vitest";
import { canonicalOfFiles } from "../../src/cli/spell-files.ts";
import { canonicalOfDictSample, canonicalOfSample } from "../../src/codec/canonical.ts";
import { dataset, rawSamples, sampleTypeOf } from "../../src/index.ts";
import { needs } from "../needs.ts";
import { bytes, drawn, float, int, schema, typedSamples, untypedSamples } from "./descriptions.ts";
import { inFolder } from "./in-folder.ts";
import { readWithPython, type SpelledFields, writeWithPython } from "./python.ts";

const Everything = sampleTypeOf(schema);

needs.python().describe("shards that Python writes", () => {
  it.each([11, 12, 13])(
    "hold for shardstream what was written, in every kind of field (seed %i)",
    (seed) =>
      inFolder(async (folder) => {
        const samples = drawn(typedSamples, seed);
        const files = await writeWithPython(folder, {
          with: "atdata",
          samples,
          schema,
          path: "data.tar",
          maxcount: 15,
        });
        expect(files).toHaveLength(3);
        const read = dataset(folder, Everything).map((sample) => canonicalOfSample(Everything, sample));
        expect(await read.toArray()).toEqual(samples);
        const keys = await rawSamples(folder)
          .map(({ key }) => key)
          .toArray();
        const python = Object.values(await readWithPython(folder));
        expect(keys).toEqual(python.flatMap(({ webdataset }) => webdataset.samples.map(({ key }) => key)));
        const untyped = await dataset(folder).map(canonicalOfDictSample).toArray();
        expect(untyped).toEqual(python.flatMap(({ atdata }) => atdata.samples));
      }),
    60_000,
  );

  it.each(["data.tar", "data.tar.gz", "data.tar.bz2", "data.tar.xz"])(
    "hold the values of samples without a type: %s",
    (path) =>
      inFolder(async (folder) => {
        const samples = drawn(untypedSamples, 14);
        await writeWithPython(folder, { with: "atdata", samples, path });
        expect(await dataset(join(folder, path)).map(canonicalOfDictSample).toArray()).toEqual(samples);
      }),
  );

  it("hold classic samples: files by extension, decoded as webdataset does", () =>
    inFolder(async (folder) => {
      const array = { $ndarray: { dtype: "<f4", shape: [2], data: "AACAPwAAAMA=" } };
      const nested = {
        $map: [
          ["é", [null, true, float(1), int(1n), int(2n ** 63n), "text"]],
          ["", { $map: [] }],
        ],
      };
      const samples: SpelledFields[] = [
        {
          __key__: "a/0001",
          cls: int(3n),
          txt: "héllo 😀",
          json: nested,
          npy: array,
          bin: bytes(new Uint8Array([0, 255])),
        },
        { __key__: "a/0002", cls: int(-1n), "seg.txt": "", json: [float(0.1), float(1e300), float(-0)] },
      ];
      await writeWithPython(folder, { with: "webdataset", samples, path: "classic.tar" });
      const read = await rawSamples(folder)
        .map(async ({ key, parts }) => ({ __key__: key, ...(await canonicalOfFiles(parts)) }))
        .toArray();
      expect(read).toEqual(samples);
    }));
});
