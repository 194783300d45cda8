import { misuse } from "../errors.ts";
import type { AnySampleType, SampleTypeOf } from "../schema/sample.ts";
import { sizeOf } from "../schema/size-of.ts";
import { typeToJson } from "../schema/type-json.ts";
import { untilAborted } from "../streams/abort.ts";
import type { Budget, Holder } from "../streams/budget.ts";
import { type Chunk, rowChunk, rowsOf } from "../streams/chunk.ts";
import { Operator, type Stage, type StageContext } from "../streams/operator.ts";
import { Pieces } from "../streams/pieces.ts";
import { eachRow, RowInfo, type SampleInfo } from "../streams/rows.ts";
import { fingerprintOfTask, taskOf, taskStage, type Work } from "../streams/task.ts";
import type { Trace } from "../streams/trace.ts";
import { PickedTrace } from "../streams/trace-of.ts";
import { UntilFailure } from "../streams/until-failure.ts";

export interface MapOptions<O> {
  /** The type of what the function returns: a writer behind it needs one. @default that of a task's `output`, or none */
  readonly type?: SampleTypeOf<O> | undefined;
  /** With a function that returns promises: how many may be under way at once, a whole number >= 1. @default 16 */
  readonly concurrency?: number;
}

/**
 * Replaces each sample by what a function, or a task, makes of it. It may return a promise: several are then under way at once,
 * and what comes out keeps the order.
 *
 * @throws {RangeError} If `concurrency` is not a whole number >= 1.
 * @example
 * ```ts
 * await fromArray([1, 2, 3]).map((n) => n * 10).toArray(); // [10, 20, 30]
 * ```
 */
export function map<I, O>(work: Work<I, O | Promise<O>>, options: MapOptions<O> = {}): Operator<I, O> {
  const { concurrency = 16 } = options;
  const task = taskOf("map", work);
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw misuse(new RangeError(`Cannot map: concurrency must be a whole number >= 1, not ${concurrency}`));
  }
  if (task === undefined) {
    return new Operator({
      name: "map",
      oneToOne: true,
      typeOf: () => options.type,
      open: (context) => stageOf(context, concurrency)(work as Fn),
    });
  }
  const type = options.type ?? (task.output as SampleTypeOf<O> | undefined);
  return new Operator({
    name: "map",
    oneToOne: true,
    options: fingerprintOfTask(task),
    address: { options: { concurrency, type: type === undefined ? null : typeToJson(type) }, task: task.address },
    typeOf: () => type,
    open: (context) => {
      const stage = stageOf(context, concurrency);
      return taskStage(task, (run) => stage(type === undefined ? run : checked(run, type)));
    },
  });
}

/** Memory is asked for when the plan is opened, before a task is set up. */
function stageOf(context: StageContext, concurrency: number): (fn: Fn) => Stage {
  const room = context.budget && new Room(context.budget);
  return (fn) => (chunks) => mapChunks(chunks, context, fn, concurrency, room);
}

/** What a task gives is what it says, here as behind the border of a thread. */
function checked(run: Fn, type: AnySampleType): Fn {
  return (sample, info) => {
    const value = run(sample, info);
    return value instanceof Promise ? value.then((result) => type.parse(result)) : type.parse(value);
  };
}

type Fn = (sample: unknown, info: SampleInfo) => unknown;

/** Loops over chunks while the function answers at once; the first promise turns it to waiting in order. */
async function* mapChunks(
  chunks: AsyncIterable<Chunk>,
  context: StageContext,
  fn: Fn,
  concurrency: number,
  room: Room | undefined,
): AsyncGenerator<Chunk> {
  const waiting = new Waiting(context, concurrency, room);
  const input = new UntilFailure(chunks);
  try {
    for await (const chunk of room === undefined ? input : inPieces(input, room.pieces)) {
      const wait = (rows: readonly unknown[], from: number): void => {
        for (let row = from; row < rows.length; row++) {
          waiting.add(() => fn(rows[row], new RowInfo(chunk.trace, context, row)), chunk.trace, row, rows[row]);
        }
      };
      if (waiting.used) {
        wait(rowsOf(chunk), 0);
      } else {
        const done = eachRow(chunk, context, "map", (rows, at, out) => {
          for (; at.row < rows.length; at.row++) {
            const value = fn(rows[at.row], at);
            if (value instanceof Promise) {
              waiting.add(() => value, chunk.trace, at.row, rows[at.row]);
              wait(rows, at.row + 1);
              return;
            }
            out.rows.push(value);
          }
        });
        for (const part of done) {
          room?.pieces.made(part);
          yield part;
        }
      }
      yield* waiting.drain(concurrency);
    }
    if (!context.signal.aborted) yield* waiting.drain(0);
    input.rethrow();
  } finally {
    waiting.discard();
  }
}

/** What a map may hold under a budget of memory. */
class Room {
  readonly pieces: Pieces;
  readonly holder: Holder;
  /** Bytes of rows that wait, and of what came of them. */
  readonly limit: () => number;

  constructor(budget: Budget) {
    this.holder = budget.chunkHolder("map");
    this.pieces = new Pieces(this.holder, budget);
    this.limit = budget.goesAhead();
  }
}

async function* inPieces(chunks: AsyncIterable<Chunk>, pieces: Pieces): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) yield* pieces.of(chunk);
}

interface Slot {
  readonly start: () => unknown;
  readonly trace: Trace;
  readonly row: number;
  state: "new" | "waits" | "done" | "failed";
  value: unknown;
  promise: Promise<void> | undefined;
  /** Under a budget: of the row, and of what came of it. */
  bytes: number;
}

/** Calls that are under way or yet to be made, in the order of their rows. */
class Waiting {
  readonly #context: StageContext;
  readonly #concurrency: number;
  readonly #room: Room | undefined;
  #bytes = 0;
  #slots: Slot[] = [];
  #running = 0;
  used = false;

  constructor(context: StageContext, concurrency: number, room: Room | undefined) {
    this.#context = context;
    this.#room = room;
    this.#concurrency = concurrency;
  }

  add(start: () => unknown, trace: Trace, row: number, sample: unknown): void {
    this.used = true;
    trace.keep();
    const slot: Slot = { start, trace, row, state: "new", value: undefined, promise: undefined, bytes: 0 };
    this.#slots.push(slot);
    this.#measure(slot, sample);
    this.#fill();
  }

  #measure(slot: Slot, value: unknown): void {
    if (this.#room === undefined) return;
    const bytes = sizeOf(value);
    slot.bytes += bytes;
    this.#bytes += bytes;
  }

  /** More is under way than may be left. */
  #tooMany(leave: number): boolean {
    const { length } = this.#slots;
    return length > leave || (length > 1 && this.#room !== undefined && this.#bytes > this.#room.limit());
  }

  #fill(): void {
    for (const slot of this.#slots) {
      if (this.#running >= this.#concurrency) return;
      if (slot.state === "new") this.#start(slot);
    }
  }

  #start(slot: Slot): void {
    slot.state = "waits";
    this.#running++;
    const settle = (state: "done" | "failed", value: unknown): void => {
      [slot.state, slot.value] = [state, value];
      this.#running--;
      this.#fill();
    };
    slot.promise = new Promise((resolve) => resolve(slot.start())).then(
      (value) => {
        this.#measure(slot, value);
        settle("done", value);
      },
      (error) => settle("failed", error),
    );
  }

  /** What is done, in order, until at most `leave` calls are left. */
  async *drain(leave: number): AsyncGenerator<Chunk> {
    while (this.#tooMany(leave)) {
      await untilAborted(this.#slots[0]!.promise!, this.#context.signal);
      let done = 0;
      while (this.#slots[done]?.state === "done") done++;
      if (done > 0) {
        this.#context.faults.succeeded();
        const ready = this.#slots.splice(0, done);
        for (const { bytes } of ready) {
          this.#bytes -= bytes;
          this.#room?.holder.hold(bytes, 1);
        }
        for (let from = 0; from < done; ) {
          // One chunk for the rows of one input chunk.
          let to = from;
          while (to < done && ready[to]!.trace === ready[from]!.trace) to++;
          const part = ready.slice(from, to);
          const rows = Int32Array.from(part, (slot) => slot.row);
          yield rowChunk(
            part.map((slot) => slot.value),
            new PickedTrace(ready[from]!.trace, rows),
          );
          from = to;
        }
      } else {
        const { value, trace, row, bytes } = this.#slots.shift()!;
        this.#bytes -= bytes;
        this.#context.faults.sample(value, "map", trace, row);
      }
    }
  }

  /** Starts nothing more; what is under way ends unheard. */
  discard(): void {
    this.#slots = [];
  }
}
