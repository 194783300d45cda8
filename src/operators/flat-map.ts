import type { AnySampleType, SampleTypeOf } from "../schema/sample.ts";
import { sizeOf } from "../schema/size-of.ts";
import { typeToJson } from "../schema/type-json.ts";
import { untilAborted } from "../streams/abort.ts";
import type { Holder } from "../streams/budget.ts";
import { CHUNK_BYTES, type Chunk, rowChunk, rowsOf } from "../streams/chunk.ts";
import { Operator, type Stage, type StageContext } from "../streams/operator.ts";
import { RowInfo, type SampleInfo } from "../streams/rows.ts";
import { fingerprintOfTask, taskOf, taskStage, type Work } from "../streams/task.ts";
import { FlatTrace } from "../streams/trace-of.ts";

export interface FlatMapOptions<O> {
  /** The type of what the function gives: a writer behind it needs one. @default that of a task's `output`, or none */
  readonly type?: SampleTypeOf<O> | undefined;
}

/**
 * Replaces each sample by all that a function, or a task, gives for it: a list, anything iterable, an async iterable, or a promise of one.
 *
 * @example Lines of texts
 * ```ts
 * await fromArray(["a b", "c"]).flatMap((text) => text.split(" ")).toArray(); // ["a", "b", "c"]
 * ```
 */
export function flatMap<I, O>(work: Work<I, Outputs<O>>, options: FlatMapOptions<O> = {}): Operator<I, O> {
  const task = taskOf("flatMap", work);
  if (task === undefined) {
    return new Operator({
      name: "flatMap",
      role: "flat",
      typeOf: () => options.type,
      open: (context) => stageOf(context, undefined)(work as Fn),
    });
  }
  const type = options.type ?? (task.output as SampleTypeOf<O> | undefined);
  return new Operator({
    name: "flatMap",
    role: "flat",
    options: fingerprintOfTask(task),
    address: { options: { type: type === undefined ? null : typeToJson(type) }, task: task.address },
    typeOf: () => type,
    open: (context) => {
      const stage = stageOf(context, type);
      return taskStage(task, (run) => stage(run as Fn));
    },
  });
}

type Outputs<O> = Iterable<O> | AsyncIterable<O> | Promise<Iterable<O>>;
type Fn = (sample: unknown, info: SampleInfo) => Outputs<unknown>;

/** Memory is asked for when the plan is opened, before a task is set up. */
function stageOf(context: StageContext, output: AnySampleType | undefined): (fn: Fn) => Stage {
  const holder = context.budget?.chunkHolder("flatMap");
  return (fn) => (chunks) => flatMapChunks(chunks, context, fn, output, holder);
}

/** Most outputs in one chunk: one input may have any number. */
const CHUNK_ROWS = 256;

async function* flatMapChunks(
  chunks: AsyncIterable<Chunk>,
  context: StageContext,
  fn: Fn,
  /** What a task promised of its outputs. */
  output: AnySampleType | undefined,
  holder: Holder | undefined,
): AsyncGenerator<Chunk> {
  // Outputs are counted by position, so that those of one input have one count through several flatMaps.
  let position = -1;
  let part = 0;
  for await (const chunk of chunks) {
    const { trace } = chunk;
    const samples = rowsOf(chunk);
    const info = new RowInfo(trace, context);
    let out: unknown[] = [];
    let from: number[] = [];
    let parts: number[] = [];
    let bytes = 0;
    const flush = (): Chunk => {
      const flat = rowChunk(out, new FlatTrace(trace, Int32Array.from(from), Int32Array.from(parts)));
      [out, from, parts, bytes] = [[], [], [], 0];
      return flat;
    };
    for (let row = 0; row < samples.length; row++) {
      if (trace.position(row) !== position) [position, part] = [trace.position(row), 0];
      const before = part;
      try {
        info.row = row;
        let outputs = fn(samples[row], info);
        if (outputs instanceof Promise) outputs = await untilAborted(outputs, context.signal);
        if (
          typeof outputs !== "object" ||
          outputs === null ||
          !(Symbol.iterator in outputs || Symbol.asyncIterator in outputs)
        ) {
          throw new TypeError("the function must return a list or another iterable");
        }
        // An iterator of its own: for await would wait for each item of a list.
        const iterator = Symbol.iterator in outputs ? outputs[Symbol.iterator]() : outputs[Symbol.asyncIterator]();
        let ended = false;
        try {
          for (;;) {
            let next = iterator.next();
            if (next instanceof Promise) next = await untilAborted(next, context.signal);
            if (next.done === true) break;
            out.push(output === undefined ? next.value : output.parse(next.value));
            from.push(row);
            parts.push(part++);
            if (holder !== undefined) {
              bytes += sizeOf(next.value);
              holder.hold(bytes, out.length);
            }
            if (out.length === CHUNK_ROWS || bytes >= CHUNK_BYTES) yield flush();
          }
          ended = true;
        } finally {
          if (!ended) await closeQuietly(iterator);
        }
        context.faults.succeeded();
      } catch (error) {
        if (out.length > 0) yield flush();
        context.faults.sample(error, "flatMap", trace, row, part - before);
      }
    }
    if (out.length > 0) yield flush();
  }
}

/** Ends an iterator that was left early; what it says to that is of no interest any more. */
async function closeQuietly(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // It was left because of an error, an abort or an end of interest: those are told.
  }
}
