import { describe, expect, test } from "vitest";
import { builtin, hasBuiltin, runtimeName } from "../../src/runtime/runtime.ts";

describe("runtimeName", () => {
  test("is the runtime that really runs this", () => {
    const versions = process.versions as Record<string, string | undefined>;
    const name = versions.deno !== undefined ? "deno" : versions.bun !== undefined ? "bun" : "node";
    expect(runtimeName).toBe(name);
  });
});

describe("builtin()", () => {
  test("gives the module itself", async () => {
    expect(builtin("path").join("a", "b")).toBe((await import("node:path")).join("a", "b"));
    expect(hasBuiltin("zlib")).toBe(true);
  });

  test("says what to do where there is none", () => {
    const { getBuiltinModule } = process;
    try {
      Object.assign(process, { getBuiltinModule: undefined });
      expect(() => builtin("fs")).toThrow(
        expect.objectContaining({
          code: "UNSUPPORTED",
          message: 'Cannot load "node:fs": this runtime has no such module',
        }),
      );
      expect(hasBuiltin("fs")).toBe(false);
    } finally {
      Object.assign(process, { getBuiltinModule });
    }
  });
});
