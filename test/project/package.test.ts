import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { root } from "./build.ts";

const json = (name: string) => JSON.parse(readFileSync(root + name, "utf8"));
const npm = json("package.json");
const jsr = json("deno.json");
const subpaths = Object.keys(npm.exports).filter((subpath) => subpath !== "./package.json");

describe("the package", () => {
  it("is the same on npm and on JSR: version, licence, subpaths", () => {
    expect(jsr.version).toBe(npm.version);
    expect(jsr.license).toBe(npm.license);
    expect(Object.keys(jsr.exports)).toEqual(subpaths);
  });

  it.each(subpaths)("builds %s from the source that JSR gets", (subpath) => {
    const source = jsr.exports[subpath];
    expect(existsSync(root + source)).toBe(true);
    expect(npm.exports[subpath]).toEqual({
      "@shardstream/source": source, // for examples: no build
      types: source.replace("./src/", "./dist/").replace(/\.ts$/, ".d.ts"),
      default: source.replace("./src/", "./dist/").replace(/\.ts$/, ".js"),
    });
  });

  it("pins every dependency to one version", () => {
    const versions = Object.entries<string>({ ...npm.dependencies, ...npm.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });
});
