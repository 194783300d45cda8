import { describe, expect, it } from "vitest";
import { runtime } from "../needs.ts";

describe("the runtime under test", () => {
  // Tools that start other programs end up in Node easily, so each run says where it believes to be.
  it("is the one that the test script started", () => {
    const name = runtime === "node" ? `node${process.versions.node.split(".")[0]}` : runtime;
    expect(name).toBe(process.env.SHARDSTREAM_TEST_RUNTIME ?? "node24");
  });
});
