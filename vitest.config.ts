import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "Bun" in globalThis ? "threads" : "forks", // Bun cannot run vitest's forks, Deno and Node run both
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
export default config;
