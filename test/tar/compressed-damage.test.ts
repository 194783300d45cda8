import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rawSamples } from "../../src/index.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();
const fixtures = "test/fixtures/atdata/compressed";

describe("a compressed shard with one bit flipped", () => {
  it.each(["gzip9.tar.gz", "bzip2.tar.bz2", "xz.tar.xz"])("%s is read whole or is an error", async (name) => {
    const whole = readFileSync(join(fixtures, name));
    const contents = async (path: string): Promise<string> =>
      JSON.stringify(
        (await rawSamples([path]).toArray()).map(({ key, parts }) => [key, [...parts].map(([e, b]) => [e, [...b]])]),
      );
    const good = await contents(join(fixtures, name));
    let refused = 0;
    for (let i = 0; i < 120; i++) {
      const bit = (i * 7919 + 131) % (whole.length * 8);
      const flipped = Uint8Array.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const path = join(folder, `${i}-${name}`);
      writeFileSync(path, flipped);
      try {
        expect(await contents(path), `bit ${bit}`).toBe(good);
      } catch (error) {
        expect((error as { code?: string }).code, `bit ${bit}: ${error}`).toMatch(/^(SHARD|SAMPLE)_|^UNSUPPORTED$/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(60);
  });
});
