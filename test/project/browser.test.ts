import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { needs } from "../needs.ts";
import { root } from "./build.ts";

needs
  .runtime("node", "it starts esbuild, whose output is the same everywhere")
  .describe("the core in a browser", () => {
    // Nothing is marked external: an import of node: in any reachable file, even a dynamic one, fails the bundle.
    it("bundles to less than 60 KB gzipped of what is loaded at first, without node:", async () => {
      const { build } = await import("esbuild");
      const { outputFiles, metafile } = await build({
        entryPoints: [`${root}src/index.ts`],
        bundle: true,
        splitting: true,
        minify: true,
        metafile: true,
        platform: "browser",
        format: "esm",
        outdir: "out",
        write: false,
        logLevel: "silent",
      });
      // What an import() loads (reading, writing, decompression, CIDs) comes when it is first needed.
      const atFirst = new Set<string>();
      const follow = (file: string): void => {
        if (atFirst.has(file)) return;
        atFirst.add(file);
        for (const { path, kind } of metafile.outputs[file]!.imports) if (kind === "import-statement") follow(path);
      };
      follow("out/index.js");
      expect(atFirst.size).toBeLessThan(Object.keys(metafile.outputs).length);
      const files = outputFiles.filter(({ path }) =>
        [...atFirst].some((file) => path.endsWith(file.replace(/^out/, ""))),
      );
      expect(files).toHaveLength(atFirst.size);
      expect(gzipSync(Buffer.concat(files.map(({ contents }) => contents))).length).toBeLessThan(60_000);
    });
  });
