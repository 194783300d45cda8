import { allocate } from "../runtime/allocate.ts";
import type { Chunk, Records } from "./chunk.ts";
import type { OperatorSpec, Stage } from "./operator.ts";
import type { Input, Stored } from "./trace.ts";
import { TraceOf } from "./trace-of.ts";

/**
 * Ties samples to their rows, as they come out of a source, so that a stage that fails at a row can tell what it was made of.
 * Encoded ones lie in the reader's window until the next chunk is asked for: they are only copied where a stage says that it
 * holds rows for longer. `isLast`: no stage behind the decoder can fail, so nothing is ever copied.
 */
export function keepInputs(isLast: boolean): Stage {
  return async function* (chunks) {
    for await (const chunk of chunks) {
      const trace = new KeptTrace(chunk, !isLast);
      yield { ...chunk, trace };
      trace.leaveWindow();
    }
  };
}

/** Lets go of what the rows were made of: no stage behind this one can fail at a row. */
export const forgetInputs: Stage = async function* (chunks) {
  for await (const chunk of chunks) yield { ...chunk, trace: new ForgetfulTrace(chunk.trace) };
};

/** Whether a stage may fail at a row, or pass rows to a function that may. */
export const mayFail = ({ works, role, safe }: OperatorSpec): boolean =>
  safe !== true && works !== "records" && role !== "batch";

class ForgetfulTrace extends TraceOf {
  override inputs(row: number): readonly Input[] {
    return [{ origin: this.of.origin(row) }];
  }
  override keep(): void {}
}

class KeptTrace extends TraceOf {
  readonly #mayKeep: boolean;
  #chunk: Chunk | undefined;
  #isOwn: boolean;

  constructor(chunk: Chunk, mayKeep: boolean) {
    super(chunk.trace);
    this.#chunk = chunk;
    this.#mayKeep = mayKeep;
    // Rows belong to whom they were given.
    this.#isOwn = chunk.kind !== "records";
  }

  override inputs(row: number): readonly Input[] {
    // A source that is made of others has kept them itself.
    const inputs = this.of.inputs(row);
    if (inputs.some(({ stored }) => stored !== undefined)) return inputs;
    return inputs.map(({ origin }) => ({ origin, stored: this.#stored(row) }));
  }

  override keep(): void {
    this.of.keep();
    if (!this.#mayKeep || this.#isOwn || this.#chunk?.kind !== "records") return;
    this.#chunk = { ...this.#chunk, records: copyOf(this.#chunk.records, this.#chunk.length) };
    this.#isOwn = true;
  }

  leaveWindow(): void {
    if (!this.#isOwn) this.#chunk = undefined;
  }

  #stored(row: number): Stored | undefined {
    const chunk = this.#chunk;
    if (chunk?.kind === "rows") return { value: chunk.rows[row] };
    if (chunk?.kind !== "records") return undefined;
    const { windows, windowOf, starts, ends } = chunk.records;
    if (starts[row]! < 0) return undefined;
    return { bytes: windows[windowOf?.[row] ?? 0]!.bytes.subarray(starts[row], ends[row]) };
  }
}

/** Encoded samples one behind the other, in memory of their own. */
function copyOf({ windows, windowOf, starts, ends, faults }: Records, length: number): Records {
  let size = 0;
  for (let row = 0; row < length; row++) if (starts[row]! >= 0) size += ends[row]! - starts[row]!;
  const bytes = allocate(size);
  const own = { starts: new Int32Array(length).fill(-1), ends: new Int32Array(length).fill(-1) };
  let at = 0;
  for (let row = 0; row < length; row++) {
    if (starts[row]! < 0) continue;
    bytes.set(windows[windowOf?.[row] ?? 0]!.bytes.subarray(starts[row], ends[row]), at);
    own.starts[row] = at;
    at += ends[row]! - starts[row]!;
    own.ends[row] = at;
  }
  return { windows: [{ bytes, view: new DataView(bytes.buffer) }], ...own, faults };
}
