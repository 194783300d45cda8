import { spawnSync } from "node:child_process";
import process from "node:process";

// The long proofs: every property of the suite with ten times as many random cases, seeded.
const files = process.argv.slice(2);
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    ...(files.length > 0
      ? files
      : ["test/streams", "test/sources", "test/codec", "test/tar", "test/sinks", "test/jobs"]),
  ],
  { stdio: "inherit", env: { ...process.env, SHARDSTREAM_SOAK: "1" } },
);
process.exit(status ?? 1);
