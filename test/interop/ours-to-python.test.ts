import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { dictSampleFromCanonical, sampleFromCanonical } from "../../src/codec/from-canonical.ts";
import { defineSample, field, fromArray, NdArray, rawSamples, sampleTypeOf, shardWriter } from "../../src/index.ts";
import { needs } from "../needs.ts";
import { drawn, schema, typedSamples, untypedSamples } from "./descriptions.ts";
import { inFolder } from "./in-folder.ts";
import { readWithPython, type SpelledFields } from "./python.ts";

const Everything = sampleTypeOf(schema);
const sha256 = async (path: string) =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

needs.python().describe("shards that shardstream writes", () => {
  it.each([1, 2, 3])(
    "hold for Python what was written, in every kind of field (seed %i)",
    (seed) =>
      inFolder(async (folder) => {
        const samples = drawn(typedSamples, seed);
        const dataset = fromArray(
          Everything,
          samples.map((sample) => sampleFromCanonical(Everything, sample)),
        );
        const { shards } = await dataset.pipeTo(shardWriter(join(folder, "plain-%02d.tar"), { samplesPerShard: 15 }));
        expect(shards.map((shard) => shard.samples)).toEqual([15, 15, 10]);
        await dataset.pipeTo(shardWriter(join(folder, "zipped-%02d.tar.gz"), { bytesPerShard: 25_000 }));
        const read = Object.entries(await readWithPython(folder, schema));
        for (const kind of ["plain", "zipped"]) {
          const found = read.filter(([name]) => name.startsWith(kind)).map(([, shard]) => shard);
          expect(found.length).toBeGreaterThan(2);
          expect(found.map(({ atdata, webdataset }) => [atdata.error, webdataset.error])).toEqual(
            found.map(() => [null, null]),
          );
          expect(found.flatMap(({ atdata }) => atdata.samples)).toEqual(samples);
          const keys = found.flatMap(({ webdataset }) => webdataset.samples.map(({ key }) => key));
          expect(keys).toEqual(samples.map((_, index) => String(index).padStart(9, "0")));
        }
      }),
    60_000,
  );

  it("hold the values of samples without a type", () =>
    inFolder(async (folder) => {
      const samples = drawn(untypedSamples, 4);
      await fromArray(samples.map(dictSampleFromCanonical)).pipeTo(shardWriter(join(folder, "data.tar")));
      const { atdata } = (await readWithPython(folder))["data.tar"]!;
      expect(atdata).toEqual({ samples, error: null });
    }));

  it("hold keys of any length and script", () =>
    inFolder(async (folder) => {
      const keys = [
        "a",
        "d/e",
        "é",
        "日本/語",
        "😀",
        "x".repeat(92),
        "x".repeat(93),
        `${"d/".repeat(60)}x`,
        "y".repeat(300),
        `${"ü".repeat(200)}/z`,
      ];
      const One = defineSample("One", { key: field.string() });
      const samples = keys.map((key) => ({ key }));
      await fromArray(One, samples).pipeTo(shardWriter(join(folder, "data.tar"), { key: (sample) => sample.key }));
      const { atdata, webdataset } = (await readWithPython(folder, One.toJSON()))["data.tar"]!;
      expect([atdata.error, webdataset.error]).toEqual([null, null]);
      expect(webdataset.samples.map(({ key }) => key)).toEqual(keys);
      expect(atdata.samples).toEqual(samples);
    }));

  it("hold large values, and nothing at all", () =>
    inFolder(async (folder) => {
      const Large = defineSample("Large", { pixels: field.ndarray("uint8"), text: field.string() });
      const large = {
        pixels: new NdArray("uint8", [1000, 3000], new Uint8Array(3_000_000).fill(7)),
        text: "é".repeat(70_000),
      };
      await fromArray(Large, [large]).pipeTo(shardWriter(join(folder, "large.tar")));
      await fromArray(Large, []).pipeTo(shardWriter(join(folder, "none.tar")));
      const read = await readWithPython(folder, Large.toJSON());
      expect(read["none.tar"]!.atdata).toEqual({ samples: [], error: null });
      const nbytes = 3_000_000;
      const data_sha256 = createHash("sha256").update(large.pixels.data).digest("hex");
      const pixels = { $ndarray: { dtype: "|u1", shape: [1000, 3000], data_sha256, nbytes } };
      expect(read["large.tar"]!.atdata).toEqual({ samples: [{ pixels, text: large.text }], error: null });
    }));

  it("hold the files of classic samples as they were", () =>
    inFolder(async (folder) => {
      const from = "test/fixtures/atdata/webdataset_classic/";
      const [expected] = JSON.parse(await readFile(`${from}expected.json`, "utf8")).shards;
      await rawSamples(from + expected.file).pipeTo(shardWriter(join(folder, "classic.tar")));
      const { webdataset } = (await readWithPython(folder))["classic.tar"]!;
      expect(webdataset.error).toBeNull();
      const samples: { key: string; fields: SpelledFields }[] = expected.webdataset.samples;
      const told = samples.map(({ key, fields }) => [key, Object.keys(fields)]);
      expect(webdataset.samples.map(({ key, fields }) => [key, Object.keys(fields)])).toEqual(told);
      expect(webdataset.samples[0]).toEqual(samples[0]);
    }));

  it("are the same to the byte each time", () =>
    inFolder(async (folder) => {
      const dataset = fromArray(
        Everything,
        drawn(typedSamples, 5).map((sample) => sampleFromCanonical(Everything, sample)),
      );
      for (const place of ["one", "two"]) {
        await mkdir(join(folder, place));
        await dataset.pipeTo(shardWriter(join(folder, place, "data.tar")));
      }
      expect(await sha256(join(folder, "one", "data.tar"))).toBe(await sha256(join(folder, "two", "data.tar")));
    }));
});
