export { DictSample } from "./codec/dict-sample.ts";
export { decodePart } from "./codec/parts.ts";
export { decodeParts, type RawSample } from "./codec/raw-sample.ts";
export {
  Dataset,
  type DatasetOptions,
  dataset,
  fromArray,
  fromIterable,
  fromJsonLines,
  rawSamples,
  replay,
} from "./dataset.ts";
export { PipelineError, type PipelineErrorCode, type PipelineErrorFacts } from "./errors.ts";
export { and, not, or, type Predicate, type PredicateBuilder } from "./manifest/predicate.ts";
export { concat, type InterleaveOptions, interleave, type MixOptions, mix, zip } from "./mixing.ts";
export type { DType } from "./schema/dtype.ts";
export { type Field, field, type Untyped } from "./schema/field.ts";
export { NdArray } from "./schema/ndarray.ts";
export type { SchemaRecord } from "./schema/record.ts";
export { defineSample, type Infer, type InferInput, SampleType } from "./schema/sample.ts";
export { sampleTypeOf } from "./schema/sample-type-of.ts";
export { jsonLinesWriter, type WrittenLines } from "./sinks/json-lines-writer.ts";
export { quarantine } from "./sinks/quarantine.ts";
export { type ShardWriterOptions, shardWriter, type WrittenShards } from "./sinks/shard-writer.ts";
export type { StopRule } from "./sources/mixed.ts";
export { Batch, type ColumnOf } from "./streams/batch.ts";
export { type Checkpoint, mergeCheckpoints } from "./streams/checkpoint.ts";
export type { Executor } from "./streams/executor.ts";
export type { ErrorPolicies, ErrorPolicy } from "./streams/faults.ts";
export { Ledger, type LedgerRecord, type LedgerReport, verifyLedger } from "./streams/ledger.ts";
export { Operator } from "./streams/operator.ts";
export type { RunProgress } from "./streams/progress.ts";
export type { Quarantine } from "./streams/quarantine.ts";
export type { RankOptions } from "./streams/ranks.ts";
export type { SampleInfo } from "./streams/rows.ts";
export { Run, type RunOptions, type RunSummary } from "./streams/run.ts";
export type { SaveOptions } from "./streams/saved-run.ts";
export type { ShuffleForecast } from "./streams/shuffle-forecast.ts";
export type { Sink } from "./streams/sink.ts";
export { defineTask, type OpenTask, Task, type TaskFactory, type TaskFunction, type Work } from "./streams/task.ts";
export type { StageTime } from "./streams/timings.ts";
export type { Origin, WeightStep } from "./streams/trace.ts";
