import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needs } from "../needs.ts";
import { root } from "./build.ts";
import { asModule, docExamples, exportsOf } from "./doc-examples.ts";

const run = promisify(execFile);
const out = `${root}.cache/doc-examples/`;

const read = (path: string) => readFileSync(root + path, "utf8");
const paths = ["README.md", ...globSync(["docs/**/*.md", "src/**/*.ts"], { cwd: root }).sort()];
const examples = paths
  .filter((path) => existsSync(root + path))
  .flatMap((path) =>
    docExamples(path, read(path)).map((example) => ({
      ...example,
      path,
      file: `${example.name.replaceAll("/", "+").replaceAll(":", "+")}.ts`,
    })),
  );

function writeModules(): void {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const fromOut = (path: string) => path.replace(/^(?:\.\/)?/, "../../");
  const entries = Object.entries<string>(JSON.parse(read("deno.json")).exports);
  const packageEntries = Object.fromEntries(entries.map(([subpath, path]) => [subpath, fromOut(path)]));
  for (const example of examples) {
    const own = example.path.endsWith(".ts") ? [example.path] : [];
    const modules = [...own, "src/index.ts", "test/project/doc-folder.ts"].filter((path) => existsSync(root + path));
    const texts = modules.map((path) => ({ path: fromOut(path), text: read(path) }));
    writeFileSync(out + example.file, asModule(example, texts, packageEntries));
  }
  const config = { extends: "../../tsconfig.json", include: ["."] };
  writeFileSync(`${out}tsconfig.json`, JSON.stringify(config));
}

needs
  .runtime("node", "it starts tsc, and each example as a script of its own")
  .describe("the examples in the docs", () => {
    let folder: string; // what the working folder of an example is copied from

    beforeAll(async () => {
      writeModules();
      folder = await mkdtemp(join(tmpdir(), "shardstream-docs-"));
      const fill = `await (await import(${JSON.stringify(`${root}test/project/doc-folder.ts`)})).fillFolder()`;
      await run(process.execPath, ["--input-type=module", "-e", fill], { cwd: folder });
    });
    afterAll(() => rm(folder, { recursive: true }));

    it("compile", async () => {
      const tsc = run(process.execPath, [`${root}node_modules/.bin/tsc`, "-p", ".", "--pretty", "false"], { cwd: out });
      const output = await tsc.then(
        ({ stdout }) => stdout,
        ({ stdout }) => stdout as string,
      );
      // Errors in src itself are `npm run check`'s affair.
      expect(output.split("\n").filter((line) => line.includes("+"))).toEqual([]);
    });

    it.each(examples.filter(({ runs }) => runs))("$name runs", async ({ file }) => {
      const cwd = `${folder}-${file}`;
      await cp(folder, cwd, { recursive: true });
      try {
        await run(process.execPath, [out + file], { cwd, timeout: 20_000 });
      } finally {
        await rm(cwd, { recursive: true });
      }
    });
  });

describe("the search for examples", () => {
  it("finds blocks marked ts, and what may not run", () => {
    const markdown = "text\n```ts\nf();\n```\n```sh\nls\n```\n```ts no-run\ng();\n```\n";
    expect(docExamples("README.md", markdown)).toEqual([
      { name: "README.md:3", runs: true, code: "f();", line: 3 },
      { name: "README.md:9", runs: false, code: "g();", line: 9 },
    ]);
    const code = "/**\n * @example\n * ```ts\n * if (a)\n *   b();\n * ```\n */\n";
    expect(docExamples("src/x.ts", code)).toEqual([
      { name: "src/x.ts:4", runs: true, code: "if (a)\n  b();", line: 4 },
    ]);
  });

  it("tells types from values", () => {
    const code =
      'export { a, type B, c as d } from "./x.ts";\nexport type { E } from "./y.ts";\nexport const F = 1;\nexport type F = 1;\n';
    expect([...exportsOf(code)]).toEqual([
      ["F", "value"],
      ["a", "value"],
      ["B", "type"],
      ["d", "value"],
      ["E", "type"],
    ]);
  });

  it("imports what an example uses and does not declare, and keeps its lines", () => {
    const modules = [
      { path: "../index.ts", text: "export const a = 1, b = 2;\nexport const b = 1;\nexport type T = 1;\n" },
    ];
    const example = {
      name: "",
      runs: true,
      line: 3,
      code: 'import { c } from "shardstream/sinks";\nconst b: T = a + c;',
    };
    expect(asModule(example, modules, { "./sinks": "../sinks.ts" }).split("\n")).toEqual([
      'import { a, type T } from "../index.ts"; export {};',
      "",
      'import { c } from "../sinks.ts";',
      "const b: T = a + c;",
      "",
    ]);
  });
});
