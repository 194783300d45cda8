import type { Command } from "commander";
import { dataset } from "../../index.ts";
import { makeIndex } from "../../sources/shard-indexes.ts";
import { createFile } from "../../storage/byte-writer.ts";
import { HEADER_BYTES, indexPath, readIndexHeader } from "../../tar/shard-index.ts";
import { addReadOptions, type ReadOptions } from "../arguments.ts";
import { counted } from "../passes.ts";
import type { Session } from "../program.ts";
import { openSamples } from "../samples.ts";

export function addIndex(root: Command, session: Session): void {
  const command = root
    .command("index <dataset>")
    .description("write the offset index of each shard beside it, by which samples are read at any place")
    .addHelpText("after", '\nExample:\n  shardstream index "train-{000000..000009}.tar"')
    .action((dataset: string, options: ReadOptions) => index(dataset, options, session));
  addReadOptions(command);
}

async function index(pattern: string, options: ReadOptions, { terminal, signal }: Session): Promise<void> {
  const { members } = await openSamples(pattern, options, undefined);
  const shards = await dataset(pattern).listShards();
  const written: { shard: string; index: string; samples: number; bytes: number }[] = [];
  for (const shard of shards) {
    terminal.progress(() => `shard ${written.length + 1} of ${shards.length}`);
    const bytes = await makeIndex(shard, { members, endMarker: options.endMarker }, signal);
    const file = await createFile(indexPath(shard));
    try {
      await file.write(bytes);
      await file.commit();
    } catch (error) {
      await file.discard();
      throw error;
    }
    const { count } = readIndexHeader(bytes.subarray(0, HEADER_BYTES), bytes.length, shard);
    written.push({ shard, index: indexPath(shard), samples: count, bytes: bytes.length });
  }
  const total = written.reduce((sum, { samples }) => sum + samples, 0);
  if (options.json === true) {
    await terminal.print(JSON.stringify({ shards: written, samples: total, members }, null, 2));
    return;
  }
  await terminal.print(`${counted(total, "sample")} in ${counted(written.length, "shard")}`);
}
