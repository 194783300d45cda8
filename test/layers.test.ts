import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** From top to bottom. A row imports rows below it, never above, and its own row unless `APART` says otherwise. */
const ROWS = [
  ["cli"],
  ["index.ts"], // the front door: only the command comes in through it
  ["atmosphere"],
  ["catalog", "features"],
  ["worker.ts"],
  ["jobs"],
  ["mixing.ts", "open-dataset.ts", "replay.ts"],
  ["dataset.ts"],
  ["sources", "operators", "sinks", "execution"],
  ["streams", "codec", "tar", "storage", "lens", "manifest"],
  ["schema", "runtime"],
  ["errors.ts"],
];
/** Parts of one row that do not import one another. */
const APART: Record<string, readonly string[]> = {
  sources: ["operators", "sinks", "execution"],
  operators: ["sources", "sinks", "execution"],
  sinks: ["sources", "operators", "execution"],
  execution: ["sources", "operators", "sinks"],
  streams: ["codec", "tar", "storage", "lens", "manifest"],
};
/** Each is imported by one file only, so that it can be swapped or left out. */
const HEAVY =
  /^(?:better-sqlite3|piscina|ioredis|postgres|bullmq|hyparquet(?:-\w+)?|@(?:aws-sdk|smithy|atproto|duckdb|clickhouse)\/[\w-]+)(?=\/|$)/;
/** A question that only src/runtime may ask. */
const RUNTIME = /\b(?:Deno|Bun)\s*[.?[]|\btypeof (?:Deno|Bun)\b|["'](?:Deno|Bun)["'] in\b|\bprocess\.versions?\b/;

interface Import {
  /** Path of the importing file, inside of src. */
  readonly from: string;
  /** The specifier as written; relative ones end at a path inside of src. */
  readonly to: string;
  readonly kind: "static" | "type" | "dynamic";
}

/** The imports of one file. Statements begin a line, which tells them from the examples in docstrings. */
function importsOf(from: string, code: string): Import[] {
  const found: Import[] = [];
  for (const [, type, to] of code.matchAll(/^(?:import|export)\b( type\b)?[^;"']*?\bfrom\s*["']([^"']+)["']/gm)) {
    found.push({ from, to: to!, kind: type === undefined ? "static" : "type" });
  }
  for (const [, to] of code.matchAll(/^import\s*["']([^"']+)["']/gm)) found.push({ from, to: to!, kind: "static" });
  for (const [, to] of withoutComments(code).matchAll(/\bimport\(\s*["'`]([^"'`]+)["'`]/g)) {
    found.push({ from, to: to!, kind: "dynamic" });
  }
  return found;
}

const withoutComments = (code: string): string =>
  code.replace(/^\s*(?:\/\*|\*|\/\/).*$/gm, "").replace(/\s\/\/ .*$/gm, "");
const part = (path: string): string => path.split("/")[0]!;
const row = (name: string): number => ROWS.findIndex((names) => names.includes(name));

/** What is wrong, a sentence each. */
function violations(imports: readonly Import[]): string[] {
  const wrong: string[] = [];
  const homes = new Map<string, string>(); // heavy package -> the file that imports it
  for (const { from, to, kind } of imports) {
    if (row(part(from)) < 0) wrong.push(`${from} has no row in the table of layers`);
    if (!to.startsWith(".")) {
      if (to.startsWith("node:") && kind === "static" && part(from) !== "cli")
        wrong.push(`${from} imports ${to} statically`);
      const heavy = HEAVY.exec(to)?.[0];
      if (heavy === undefined) continue;
      const home = homes.get(heavy) ?? from;
      if (home !== from) wrong.push(`${from} imports ${heavy}, as ${home} does`);
      homes.set(heavy, home);
      continue;
    }
    const target = posix.join(posix.dirname(from), to);
    const [upper, lower] = [part(from), part(target)];
    if (target.startsWith("..")) wrong.push(`${from} imports ${to}, which is not in src`);
    else if (upper === lower) continue;
    else if (row(lower) < row(upper)) wrong.push(`${from} imports ${target}, which is above it`);
    else if (APART[upper]?.includes(lower)) wrong.push(`${from} imports ${target}, beside it`);
    else if (lower === "index.ts" && upper !== "cli") wrong.push(`${from} imports the front door`);
  }
  return wrong;
}

const src = fileURLToPath(new URL("../src/", import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
const sources = files.map((path) => ({ path, code: readFileSync(src + path, "utf8") }));

describe("the layers of src", () => {
  it("import only what stands below them", () => {
    expect(violations(sources.flatMap(({ path, code }) => importsOf(path, code)))).toEqual([]);
  });

  it("ask which runtime this is in src/runtime only", () => {
    const asking = sources.filter(({ path, code }) => part(path) !== "runtime" && RUNTIME.test(withoutComments(code)));
    expect(asking.map(({ path }) => path)).toEqual([]);
  });
});

describe("the layer test itself", () => {
  it("finds every kind of import, and none in a comment", () => {
    const code = `import { a } from "./a.ts";
import {
  b,
} from "../b.ts";
import type { C } from "node:fs";
import "./d.ts";
export * from "./e.ts";
/**
 * import { no } from "./no.ts";
 * await import("./no.ts");
 */
const f = await import("piscina"); // not import("./no.ts")
`;
    expect(importsOf("x.ts", code).map(({ to, kind }) => `${kind} ${to}`)).toEqual([
      "static ./a.ts",
      "static ../b.ts",
      "type node:fs",
      "static ./e.ts",
      "static ./d.ts",
      "dynamic piscina",
    ]);
  });

  it.each<[from: string, to: string, kind: Import["kind"], wrong: string]>([
    ["schema/sample.ts", "../streams/chunk.ts", "static", "which is above it"],
    ["errors.ts", "./schema/sample.ts", "type", "which is above it"],
    ["operators/map.ts", "../sources/shards.ts", "static", "beside it"],
    ["sinks/shards.ts", "../execution/inline.ts", "dynamic", "beside it"],
    ["streams/run.ts", "../tar/walk.ts", "static", "beside it"],
    ["dataset.ts", "./index.ts", "static", "which is above it"],
    ["storage/file.ts", "node:fs", "static", "statically"],
    ["storage/file.ts", "../../test/needs.ts", "static", "not in src"],
    ["misc/x.ts", "../errors.ts", "static", "no row"],
  ])("refuses %s importing %s (%s)", (from, to, kind, wrong) => {
    expect(violations([{ from, to, kind }])).toEqual([expect.stringContaining(wrong)]);
  });

  it.each<[from: string, to: string, kind: Import["kind"]]>([
    ["cli/main.ts", "../index.ts", "static"],
    ["cli/main.ts", "node:util", "static"],
    ["index.ts", "./dataset.ts", "static"],
    ["dataset.ts", "./operators/map.ts", "static"],
    ["streams/run.ts", "../schema/sample.ts", "static"],
    ["streams/run.ts", "../runtime/files.ts", "static"],
    ["tar/walk.ts", "../codec/bytes.ts", "static"],
    ["storage/file.ts", "node:fs", "type"],
    ["storage/file.ts", "node:fs/promises", "dynamic"],
  ])("allows %s importing %s (%s)", (from, to, kind) => {
    expect(violations([{ from, to, kind }])).toEqual([]);
  });

  it("refuses a heavy package in two files", () => {
    const twice = ["storage/s3.ts", "atmosphere/blobs.ts"].map((from) => ({
      from,
      to: "@aws-sdk/client-s3",
      kind: "dynamic" as const,
    }));
    expect(violations(twice.slice(1))).toEqual([]);
    expect(violations(twice)).toEqual(["atmosphere/blobs.ts imports @aws-sdk/client-s3, as storage/s3.ts does"]);
  });

  it("sees a question about the runtime", () => {
    const asks = [
      "if (Deno.build) {}",
      "globalThis.Bun?.version",
      '"Bun" in globalThis',
      "typeof Deno",
      "process.versions.bun",
    ];
    expect(asks.filter((code) => !RUNTIME.test(code))).toEqual([]);
    expect(RUNTIME.test("on Deno and Bun alike")).toBe(false);
  });
});
