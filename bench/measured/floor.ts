// What nothing can be faster than: reading the files into one buffer that is used again and again.
import { closeSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { type Pass, serve, task } from "./serve.ts";

const buffer = new Uint8Array(1 << 20);

async function readAll(): Promise<Pass> {
  for (const shard of task.shards) {
    const file = openSync(shard, "r");
    while (readSync(file, buffer, 0, buffer.length, null) > 0);
    closeSync(file);
  }
  return { samples: task.samples };
}

async function readAllWithoutBlocking(): Promise<Pass> {
  for (const shard of task.shards) {
    const file = await open(shard);
    while ((await file.read(buffer, 0, buffer.length, null)).bytesRead > 0);
    await file.close();
  }
  return { samples: task.samples };
}

await serve(task.variant === "floor" ? readAll : readAllWithoutBlocking);
