export { jsonLinesWriter, type WrittenLines } from "./json-lines-writer.ts";
export type { WrittenShard } from "./shard-file.ts";
export { type ShardWriterOptions, shardWriter, type WrittenShards } from "./shard-writer.ts";
