/** What reading takes: one part, loaded when something is first read. See "What is loaded at first" in docs/decisions.md. */
export { decodeStage } from "../codec/decode-stage.ts";
export { decompress } from "../storage/compression/decompress.ts";
export { sizeOfAll } from "../storage/files.ts";
export { openBytes } from "../storage/open.ts";
export { expandPattern } from "../storage/patterns.ts";
export { ShardReader } from "../tar/shard-reader.ts";
export { WindowMemory } from "../tar/window-memory.ts";
export { dictSampleStage } from "./decode-untyped.ts";
export { filesStage } from "./files.ts";
export { findKey } from "./find-key.ts";
export { Layout } from "./layout.ts";
export { closeInputs, openInputs } from "./open-input.ts";
export { OpenShard } from "./open-shard.ts";
export { parseLine, readJsonLines } from "./read-json-lines.ts";
export { readMixed } from "./read-mixed.ts";
export { readPicked } from "./read-picked.ts";
export { ReadQuarantine } from "./read-quarantine.ts";
export { ShardIndexes, sizeOf } from "./shard-indexes.ts";
