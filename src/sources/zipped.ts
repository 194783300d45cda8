import { type Chunk, rowChunk } from "../streams/chunk.ts";
import { CombinedTrace, type Parts } from "../streams/combined-trace.ts";
import type { Json } from "../streams/operator.ts";
import type { InputPlan, Source, SourceRequest } from "../streams/source.ts";
import { shardsOf } from "./mixed.ts";
import type { OpenInput } from "./open-input.ts";
import { ownPositions } from "./own-positions.ts";

/** Items put together that are made at a time. */
const CHUNK_ROWS = 256;

/** The first items of several plans together, then the second ones, until one plan has no more. */
export class ZippedSource implements Source {
  readonly name = "zip";
  readonly type = undefined;
  readonly inputs: readonly InputPlan[];

  constructor(inputs: readonly InputPlan[]) {
    this.inputs = inputs;
  }

  describe(): Promise<Json> {
    return Promise.resolve(this.inputs.length);
  }

  async listShards(): Promise<readonly string[]> {
    return shardsOf(this.inputs);
  }

  async *read(request: SourceRequest): AsyncGenerator<Chunk> {
    const { closeInputs, openInputs } = await import("./loaded-later.ts");
    const inputs = await openInputs(this, request);
    try {
      for await (const chunk of ownPositions(tuples(inputs, request.from), request.share)) yield chunk;
    } finally {
      await closeInputs(inputs);
    }
  }
}

async function* tuples(inputs: readonly OpenInput[], position: number): AsyncGenerator<Chunk> {
  for (;;) {
    let length = CHUNK_ROWS;
    for (const input of inputs) {
      if (!(await input.fill())) return;
      length = Math.min(length, input.rows.length - input.next);
    }
    const states = inputs.map((input) => input.state(0));
    const rows = Array.from({ length }, (_, row) => inputs.map((input) => input.rows[input.next + row]));
    const parts: Parts = {
      inputOf: () => 0,
      rowOf: (row) => states[0]!.next + row,
      taken: (_, row) => row + 1,
    };
    for (const input of inputs) input.next += length;
    yield rowChunk(rows, new CombinedTrace(position, parts, states, undefined));
    position += length;
  }
}
