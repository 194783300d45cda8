import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...globSync(["docs/*.md", "examples/*.md"], { cwd: root }),
];

describe("the pages of the documentation", () => {
  it.each(pages.sort())("%s links to nothing that is not there", (page) => {
    const text = readFileSync(root + page, "utf8");
    const links = Array.from(text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g), ([, link]) => link!);
    const missing = links.filter((link) => !/^https?:/.test(link) && !existsSync(join(root, dirname(page), link)));
    expect(missing).toEqual([]);
  });

  it("README names every guide and every example", () => {
    const readme = readFileSync(`${root}README.md`, "utf8");
    for (const guide of globSync("docs/*.md", { cwd: root })) expect(readme).toContain(guide.replaceAll("\\", "/"));
    const list = readFileSync(`${root}examples/README.md`, "utf8");
    for (const script of globSync("examples/*.ts", { cwd: root }))
      expect(list).toContain(`(${script.slice("examples/".length)})`);
  });

  it("errors.md explains every code", () => {
    const [, union] = /export type PipelineErrorCode =([^;]*);/.exec(readFileSync(`${root}src/errors.ts`, "utf8"))!;
    const codes = Array.from(union!.matchAll(/"([A-Z_]+)"/g), ([, code]) => code!);
    const explained = Array.from(
      readFileSync(`${root}docs/errors.md`, "utf8").matchAll(/^\| `([A-Z_]+)`/gm),
      ([, code]) => code!,
    );
    expect(explained).toEqual(codes.sort());
  });
});
