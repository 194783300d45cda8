export { type ConvertOptions, convert, type JobPolicies } from "./convert.ts";
export { convertShard, type JobPolicy, type ShardUnit } from "./convert-shard.ts";
export type { FieldStatistics } from "./field-statistics.ts";
export type { ConvertedShard, JobError, JobReport } from "./job-report.ts";
export type { JobProgress } from "./job-watch.ts";
export type { ShardStats } from "./shard-stats.ts";
