import type { AnySampleType } from "../schema/sample.ts";
import type { Chunk } from "./chunk.ts";
import type { Json } from "./operator.ts";

/** What a sink is told when it is opened. */
export interface SinkContext {
  /** The type of the samples, where it is known. */
  readonly type: AnySampleType | undefined;
  readonly signal: AbortSignal;
  /** The run is saved on its way. Where it goes on from an earlier one, what {@link OpenSink.save} gave then. */
  readonly lasting?: { readonly saved: Json | undefined } | undefined;
}

/** A sink at work. */
export interface OpenSink<Report> {
  write(chunk: Chunk): Promise<void>;
  /** Makes what was written visible, and tells of it. */
  close(): Promise<Report>;
  /** Leaves nothing behind. */
  abort(reason: unknown): Promise<void>;
  /** Puts what was written so far where it outlives this process, and tells how to go on behind it. Absent: it cannot. */
  save?(): Promise<Json>;
  /** Ends the writing, and leaves what was saved to a later run. */
  suspend?(): Promise<void>;
}

/** Where samples go: `dataset.pipeTo(sink)`. */
export interface Sink<in T, out Report> {
  /** As in errors: `shardWriter`. */
  readonly name: string;
  open(context: SinkContext): Promise<OpenSink<Report>>;
  /** Only a type: what it takes. */
  readonly "~takes"?: (sample: T) => void;
}

/** A sink of samples, and not of batches. */
export interface SampleSink<in T, out Report> extends Sink<T, Report> {
  readonly takesBatches: false;
}

/** What a sink of `T` must be besides: for batches, one that takes them. */
export type SinkFor<T> = [T] extends [{ readonly "~batch": true }] ? { readonly takesBatches?: never } : unknown;
