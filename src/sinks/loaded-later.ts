/** What writing takes: one part, loaded when a sink is first opened. See "What is loaded at first" in docs/decisions.md. */
export { openJsonLines } from "./open-json-lines.ts";
export { OpenShardWriter } from "./open-shard-writer.ts";
export { QuarantineFile } from "./quarantine-file.ts";
