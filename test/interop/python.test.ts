import { expect, it } from "vitest";
import { needs } from "../needs.ts";
import { inFolder } from "./in-folder.ts";
import { readWithPython, type SpelledFields, writeWithPython } from "./python.ts";

const schema = {
  name: "Point",
  version: "1.0.0",
  fields: [
    { name: "label", fieldType: { $type: "local#primitive", primitive: "str" }, optional: false },
    { name: "n", fieldType: { $type: "local#primitive", primitive: "int" }, optional: true },
    { name: "x", fieldType: { $type: "local#ndarray", dtype: "float32" }, optional: false },
  ],
};
const points: readonly SpelledFields[] = [
  {
    label: "first 😀",
    n: { $int: "9007199254740993" },
    x: { $ndarray: { dtype: "<f4", shape: [2], data: "AACAPwAAAMA=" } },
  },
  { label: "", n: null, x: { $ndarray: { dtype: "<f4", shape: [1, 1], data: "AAAAAA==" } } },
];

needs.python().describe("the bridge to Python", () => {
  it("gives back what atdata wrote, typed and untyped", () =>
    inFolder(async (folder) => {
      expect(await writeWithPython(folder, { with: "atdata", samples: points, schema })).toEqual(["data.tar"]);
      const typed = await readWithPython(folder, schema);
      expect(typed["data.tar"]!.atdata).toEqual({ samples: points, error: null });
      const untyped = await readWithPython(folder);
      expect(untyped["data.tar"]!.atdata.samples.map(({ label }) => label)).toEqual(["first 😀", ""]);
    }));

  it("gives back what webdataset wrote, and the error of a damaged shard", () =>
    inFolder(async (folder) => {
      await writeWithPython(folder, {
        with: "webdataset",
        samples: [{ __key__: "a/0001", cls: 3, txt: "hello" }],
        path: "classic.tar",
        mtime: 0,
      });
      const shard = (await readWithPython(folder))["classic.tar"]!;
      expect(shard.webdataset.samples).toEqual([
        { key: "a/0001", fields: { cls: { $bytes: btoa("3") }, txt: { $bytes: btoa("hello") } } },
      ]);
      expect(shard.atdata.error).toContain("msgpack");
    }));
});
