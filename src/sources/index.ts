export { type AnyIterable, IterableSource } from "./from-iterable.ts";
export { JsonLinesSource } from "./json-lines.ts";
export { type SamplesAs, type ShardOptions, ShardSource } from "./shards.ts";
