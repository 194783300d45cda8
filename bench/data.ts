import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makePythonEnvironment } from "../test/interop/environment.ts";
import { SETS, type SetName } from "./measured/sets.ts";

const run = promisify(execFile);
const here = fileURLToPath(new URL("./python/", import.meta.url));

/** Where data, environments and what is built for the bench are kept; git does not see it. */
export const CACHE: string = fileURLToPath(new URL("../.cache/bench/", import.meta.url));

/** Peers by the requirements file of their environment; those of the first one use that of the interop tests. */
const PEERS = {
  interop: ["atdata", "webdataset"],
  "requirements-hf.txt": ["hf-arrow", "hf-parquet", "hf-wds", "grain"],
  "requirements-mds.txt": ["litdata", "mds"],
} as const;
export const ALL_PEERS: readonly string[] = Object.values(PEERS).flat();

/** The interpreter that a peer runs in; its environment is made where it is not there yet. */
export async function pythonOf(peer: string): Promise<string> {
  const { python, reason } = await makePythonEnvironment();
  if (python === undefined) throw new Error(`The bench needs Python: ${reason}`);
  const [requirements] = Object.entries(PEERS).find(([, peers]) => (peers as readonly string[]).includes(peer)) ?? [];
  if (requirements === undefined) throw new Error(`There is no peer "${peer}"; there are ${ALL_PEERS.join(", ")}`);
  return requirements === "interop" ? python : environment(python, requirements);
}

async function environment(base: string, requirements: string): Promise<string> {
  const wanted = readFileSync(join(here, requirements), "utf8") + readFileSync(join(here, "constraints.txt"), "utf8");
  const folder = join(CACHE, requirements.replace(/\.txt$/, ""));
  const ready = join(folder, "ready");
  const python = join(folder, "bin", "python");
  if (existsSync(ready) && readFileSync(ready, "utf8") === wanted) return python;
  console.log(`Python: making an environment of ${requirements}, which takes minutes`);
  rmSync(folder, { recursive: true, force: true });
  await run(base, ["-m", "venv", folder]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", join(here, requirements)]);
  writeFileSync(ready, wanted);
  return python;
}

/** A data set on disk, as `make_data.py` leaves it. */
export interface Data {
  readonly name: SetName;
  readonly folder: string;
  readonly shards: readonly string[];
  readonly samples: number;
  readonly samplesPerShard: number;
  /** Bytes of all samples as msgpack. */
  readonly payloadBytes: number;
}

/** The data sets, made with atdata itself where they are not there yet; `scale` 1 is some 455 MB. */
export async function makeData(sets: readonly SetName[], scale: number): Promise<Data[]> {
  const out = join(CACHE, `data-${scale}`);
  const missing = sets.filter((name) => !existsSync(join(out, name, "meta.json")));
  if (missing.length > 0) {
    console.log(`Data: making ${missing.join(", ")}`);
    const script = join(here, "make_data.py");
    await run(await pythonOf("atdata"), [
      "-B",
      script,
      "--out",
      out,
      "--sets",
      missing.join(),
      "--scale",
      String(scale),
    ]);
  }
  return SETS.filter((name) => sets.includes(name)).map((name) => {
    const folder = join(out, name);
    const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8"));
    return {
      name,
      folder,
      shards: meta.shards.map((shard: string) => join(folder, shard)),
      samples: meta.samples,
      samplesPerShard: meta.per_shard,
      payloadBytes: meta.payload_bytes,
    };
  });
}

/** The program that runs a peer. */
export const PEERS_SCRIPT: string = join(here, "peers.py");
