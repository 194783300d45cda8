import { SampleWriter } from "../codec/writer.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { type Chunk, rowsOf } from "../streams/chunk.ts";
import type { Meter } from "../streams/progress.ts";
import { toCrossingInputs, toCrossingValue, weightOf } from "./crossing-value.ts";
import { FRAME_BYTES, Frame, keyRoom } from "./frame.ts";
import type { LaneFaults } from "./lane-faults.ts";
import { type CrossingInput, Flag, type FromLane, type LaneFault, type LanePort } from "./messages.ts";

/** Between two frames that are not full: a message costs as much as packing hundreds of small samples. */
const LEAST_MS = 2;

/** The stop was asked for from the other side. */
export class Stopped extends Error {}

/**
 * Packs what comes out of a lane into frames and sends them. It has as many frames as it was given, and waits for one to come
 * back: so a lane is never further ahead than those hold. A frame is sent when it is full, or when somebody waits.
 */
export class LaneSender {
  readonly #port: LanePort;
  readonly #flags: Int32Array;
  readonly #writer: SampleWriter | undefined;
  readonly #free: ArrayBuffer[] = [];
  #arrived: () => void = () => {};
  #frame: Frame | undefined;
  #values: unknown[] = [];
  #weight = 0;
  #sentAt = 0;
  #faults: LaneFault[] = [];
  #inputs: CrossingInput[][] = [];
  readonly #keepsAll: boolean;
  readonly #meter: Meter;
  #told = { samples: 0, bytes: 0 };
  readonly #shards = new Map<string, number>();
  #newShards: string[] = [];
  #lastShard = "";
  #lastShardId = -1;

  /** `keepsAll`: rows are sent with what they were made of. */
  constructor(port: LanePort, flags: Int32Array, type: AnySampleType | undefined, keepsAll: boolean, meter: Meter) {
    [this.#port, this.#flags, this.#keepsAll, this.#meter] = [port, flags, keepsAll, meter];
    this.#writer = type && new SampleWriter(type);
  }

  /** A buffer came back, or there is no more to wait for. */
  arrive(buffer?: ArrayBuffer): void {
    if (buffer !== undefined) this.#free.push(buffer);
    this.#arrived();
  }

  /** Whether the calling thread waits for this lane, and has not just been served. */
  get isHungry(): boolean {
    return Atomics.load(this.#flags, Flag.HUNGRY) === 1 && performance.now() - this.#sentAt >= LEAST_MS;
  }

  get #isStopped(): boolean {
    return Atomics.load(this.#flags, Flag.STOP) === 1;
  }

  async send(chunk: Chunk, faults: LaneFaults, stage: string): Promise<void> {
    const rows = rowsOf(chunk);
    const { trace } = chunk;
    for (let row = 0; row < rows.length; row++) {
      const sample = rows[row];
      const origin = trace.origin(row);
      let room = keyRoom(origin.key);
      if (this.#writer !== undefined) {
        try {
          room += this.#writer.room(sample);
        } catch (error) {
          faults.sample(error, stage, trace, row);
          continue;
        }
      }
      // Not awaited where there is one, as nearly always.
      const frame =
        this.#frame !== undefined && this.#fits(this.#frame, room) ? this.#frame : await this.#nextFrame(room);
      if (this.#keepsAll) this.#inputs.push(toCrossingInputs(trace.inputs(row)));
      const at = frame.beginRow(trace.position(row), trace.part(row), origin, this.#shardId(origin.shard));
      if (this.#writer !== undefined) {
        frame.endRow(this.#writer.write(frame.bytes, frame.view, at));
      } else {
        this.#values.push(toCrossingValue(sample));
        this.#weight += weightOf(sample);
        frame.endRow(at);
      }
    }
  }

  #fits(frame: Frame, room: number): boolean {
    return !frame.isFull && frame.hasRoom(room) && this.#weight < FRAME_BYTES;
  }

  async #nextFrame(room: number): Promise<Frame> {
    if (this.#frame !== undefined && this.#frame.rows > 0) this.flush(0);
    if (this.#frame === undefined) {
      while (this.#free.length === 0) {
        if (this.#isStopped) throw new Stopped();
        await new Promise<void>((resolve) => {
          this.#arrived = resolve;
        });
      }
      this.#frame = new Frame(this.#free.pop()!);
    }
    // Kept from then on: where one sample is that large, others are.
    if (!this.#frame.hasRoom(room)) this.#frame = new Frame(new ArrayBuffer(Frame.sizeFor(2 * room)));
    return this.#frame;
  }

  #shardId(shard: string): number {
    if (shard === this.#lastShard && this.#lastShardId >= 0) return this.#lastShardId;
    let id = this.#shards.get(shard);
    if (id === undefined) {
      id = this.#shards.size;
      this.#shards.set(shard, id);
      this.#newShards.push(shard);
    }
    [this.#lastShard, this.#lastShardId] = [shard, id];
    return id;
  }

  /** Told with the rows before it. */
  fault(fault: LaneFault): void {
    this.#faults.push(fault);
    this.flush(0);
  }

  /** Sends what there is. `mark`: all before that position is done. */
  flush(mark: number, ended = false): void {
    const frame = this.#frame;
    const rows = frame?.rows ?? 0;
    Atomics.store(this.#flags, Flag.HUNGRY, 0);
    this.#sentAt = performance.now();
    const message: FromLane = {
      buffer: rows > 0 ? frame!.buffer : undefined,
      rows,
      shards: this.#newShards,
      values: this.#writer === undefined && rows > 0 ? this.#values : undefined,
      inputs: this.#keepsAll && rows > 0 ? this.#inputs : undefined,
      read: this.#readSince(),
      faults: this.#faults,
      mark,
      ended,
    };
    this.#port.postMessage(message, rows > 0 ? [frame!.buffer] : []);
    if (rows > 0) this.#frame = undefined;
    [this.#newShards, this.#values, this.#weight, this.#faults, this.#inputs] = [[], [], 0, [], []];
  }

  #readSince(): FromLane["read"] {
    const { samples, bytes } = this.#meter;
    const before = this.#told;
    this.#told = { samples, bytes };
    return { samples: samples - before.samples, bytes: bytes - before.bytes };
  }
}
