import type { AnySampleType } from "../schema/sample.ts";
import type { Budget } from "./budget.ts";
import { type Chunk, pick, slice } from "./chunk.ts";
import type { Delivered } from "./delivered.ts";
import type { Faults } from "./faults.ts";
import type { OperatorSpec, Stage } from "./operator.ts";
import { comparePlaces, type ShuffleOrder } from "./order.ts";
import type { StageClock } from "./timings.ts";
import { type Place, type Progress, progressAt } from "./trace.ts";
import { CountedTrace, ShiftedTrace } from "./trace-of.ts";

/** Operators between two counts: one numbering of items holds for all of them. */
export interface Segment {
  /** The number of its first input, where nothing is resumed. */
  readonly countFrom: number;
  readonly steps: Step[];
}

/** An operator in its plan. */
export interface Step {
  readonly spec: OperatorSpec;
  /** Its place among those that shape what comes out. */
  readonly nth: number;
  /** How the rows of its segment are ordered behind it. */
  readonly order: ShuffleOrder | undefined;
}

/**
 * Cuts a list of operators into segments. Besides `count` operators, a second numbering begins where one would not do: at a
 * shuffle of batches, and at a `flatMap` behind a batch or behind a shuffle of another's outputs.
 */
export function segmentsOf(specs: readonly OperatorSpec[], epoch: number): Segment[] {
  let segment: Segment = { countFrom: 0, steps: [] };
  const segments = [segment];
  let flat = false;
  let batched = false;
  let order: ShuffleOrder | undefined;
  let shuffles = 0;
  let nth = 0;
  for (const spec of specs) {
    const { role = "each" } = spec;
    const anew =
      role === "count" || (role === "shuffle" && batched) || (role === "flat" && (batched || order?.parts === true));
    if (anew) {
      segment = { countFrom: spec.countFrom ?? 0, steps: [] };
      segments.push(segment);
      [flat, batched, order] = [false, false, undefined];
    }
    if (role === "flat") flat = true;
    if (role === "batch") batched = true;
    if (role === "shuffle") {
      const { seed, window } = spec.shuffle!;
      // Whole blocks of the shuffle before, so that it need not be read again from within one.
      const whole = order === undefined ? window : Math.ceil(window / order.window) * order.window;
      order = { seed, epoch, nth: shuffles++, window: whole, parts: flat, ofSource: segments.length === 1 };
    }
    segment.steps.push({ spec, nth, order });
    if (spec.tuning !== true) nth++;
  }
  return segments;
}

/** What a chain of stages needs to know of its run. */
export interface ChainContext {
  readonly epoch: number;
  readonly faults: Faults;
  readonly signal: AbortSignal;
  readonly budget?: Budget | undefined;
  /** How far each segment has come, the last one first; absent: from the start. */
  readonly resume: Progress | undefined;
  /** Several ranks share the samples, now or before: items keep the numbers they have for one rank alone. */
  readonly shared?: SharedWork | undefined;
  /** Measures the stages. */
  readonly clock?: StageClock | undefined;
}

/** What was delivered by ranks when the order of the last segment is known. */
export interface SharedWork {
  readonly delivered: Delivered | undefined;
}

/** The progress of each segment, in order, from that of the last one. */
export function progressOfSegments(segments: number, last: Progress | undefined): (Progress | undefined)[] {
  const all = new Array<Progress | undefined>(segments).fill(undefined);
  for (let i = segments - 1, progress = last; i >= 0 && progress !== undefined; i--, progress = progress.before) {
    all[i] = progress;
  }
  return all;
}

/** Joins stages to one flow. `type` is that of the rows of `chunks`. */
export function connect(
  chunks: AsyncIterable<Chunk>,
  segments: readonly Segment[],
  type: AnySampleType | undefined,
  context: ChainContext,
): AsyncIterable<Chunk> {
  const progress = progressOfSegments(segments.length, context.resume);
  segments.forEach((segment, i) => {
    const { steps, countFrom } = segment;
    if (i > 0) {
      const number = context.shared ? shift(countFrom) : count(progress[i]?.start ?? countFrom, progress[i]?.before);
      chunks = number(chunks);
    }
    // Dropping comes before a batch, so that batches begin where they did; its place is the last of the order until then.
    let batchAt = steps.findIndex(({ spec }) => spec.role === "batch");
    if (batchAt < 0) batchAt = steps.length;
    const place = progress[i]?.place;
    const delivered = i === segments.length - 1 ? context.shared?.delivered : undefined;
    const dropDelivered = (order: ShuffleOrder | undefined): void => {
      if (delivered !== undefined) chunks = dropShared(delivered)(chunks);
      else if (place !== undefined && !context.shared) chunks = dropUntil(place, order)(chunks);
    };
    steps.forEach(({ spec, nth, order }, k) => {
      if (k === batchAt) dropDelivered(steps[k - 1]?.order);
      const faults = context.faults.of(nth);
      const { epoch, signal, budget } = context;
      chunks = spec.open({ epoch, faults, signal, budget, nth, type, order })(chunks);
      if (context.clock !== undefined) chunks = context.clock.time(spec.name, chunks);
      if (spec.typeOf !== undefined) type = spec.typeOf(type);
    });
    if (batchAt === steps.length) dropDelivered(steps.at(-1)?.order);
  });
  return chunks;
}

/** Numbers rows anew, from `first` on. */
function count(first: number, before: Progress | undefined): Stage {
  return async function* (chunks) {
    let earlier: (() => Progress) | undefined = before && (() => before);
    for await (const chunk of chunks) {
      if (chunk.length === 0) continue;
      const { trace, length } = chunk;
      earlier ??= () => trace.restart(0, true);
      yield { ...chunk, trace: new CountedTrace(trace, first, earlier) };
      first += length;
      earlier = () => progressAt(trace, length - 1);
    }
  };
}

/** Numbers rows by what they were numbered before: what other ranks have is left out, and counts all the same. */
function shift(by: number): Stage {
  return async function* (chunks) {
    for await (const chunk of chunks) yield by === 0 ? chunk : { ...chunk, trace: new ShiftedTrace(chunk.trace, by) };
  };
}

/** Leaves out the rows that some rank delivered before. */
function dropShared(delivered: Delivered): Stage {
  return async function* (chunks) {
    for await (const chunk of chunks) {
      const { trace, length } = chunk;
      const missing: number[] = [];
      for (let row = 0; row < length; row++) if (!delivered.has(trace, row)) missing.push(row);
      if (missing.length === length) yield chunk;
      else if (missing.length > 0) yield pick(chunk, Int32Array.from(missing));
    }
  };
}

/** Leaves out the rows up to and including `place`: they were delivered before. */
function dropUntil(place: Place, order: ShuffleOrder | undefined): Stage {
  return async function* (chunks) {
    let past = false;
    for await (const chunk of chunks) {
      let row = 0;
      const { trace, length } = chunk;
      while (!past && row < length) {
        past = comparePlaces(order, { position: trace.position(row), part: trace.part(row) }, place) > 0;
        if (!past) row++;
      }
      if (row < length) yield slice(chunk, row, length);
    }
  };
}
