import { PipelineError, withFacts } from "../errors.ts";
import { shownAddress } from "../storage/address.ts";
import type { ByteReader } from "../storage/byte-reader.ts";
import { Damage } from "./damage.ts";
import { KeyCollector } from "./key-collector.ts";
import { decodeName } from "./keys.ts";
import { END, MEMBER, Members, MORE } from "./members.ts";
import type { Part, Records } from "./records.ts";
import { Window } from "./window.ts";
import { WindowMemory } from "./window-memory.ts";

export type { Part, Records } from "./records.ts";

/** How a shard is read. */
export interface ShardReaderOptions {
  /** Address of the shard, for messages. */
  readonly url: string;
  /** Whether a shard must end with two zero blocks; without them a cut at a member's border cannot be told. @default "required" */
  readonly endMarker?: "required" | "optional";
  /** `msgpack`: a sample is one `.msgpack` file. `files`: all neighbouring files of one key, as in WebDataset. @default "msgpack" */
  readonly members?: "msgpack" | "files";
  /** Bytes read at once. The window grows where a single sample is larger. @default 1 MiB */
  readonly windowBytes?: number;
  /** Place in the shard of the first byte that is read; a member begins there. @default 0 */
  readonly start?: number;
  /** Where the window comes from, with shards that are read in turn. @default memory of its own, of `windowBytes` */
  readonly memory?: WindowMemory;
}

/**
 * Reads the samples of one shard. All whole samples before a damage are given, then the error is thrown, once.
 *
 * @example
 * ```ts
 * const reader = new ShardReader(await openBytes("train-000000.tar"), { url: "train-000000.tar" });
 * for (let records = await reader.read(256); records !== undefined; records = await reader.read(256)) {
 *   for (let i = 0; i < records.length; i++) console.log(records.keys.at(i), records.ends[i]! - records.starts[i]!);
 * }
 * await reader.close();
 * ```
 */
export class ShardReader {
  readonly #source: ByteReader;
  readonly #shard: string;
  readonly #window: Window;
  readonly #members: Members;
  readonly #keys = new KeyCollector();
  readonly #isFiles: boolean;
  readonly #isMarkerOptional: boolean;
  #state: "reading" | "draining" | "done" | "closed" = "reading";
  #error: PipelineError | undefined; // thrown when the samples before it have been given

  // Samples found by one call
  #count = 0;
  #starts = new Int32Array(256);
  #ends = new Int32Array(256);
  #rows: (readonly Part[])[] = [];
  #faults: Map<number, PipelineError> | undefined;

  // The open group: neighbouring members of one key
  #isGiven = true; // its sample has been given, or there is no group yet
  #others = new Set<string>(); // extensions of a group that has no msgpack file yet
  #parts = new Map<string, Part>(); // by extension
  #groupStart = 0; // of the first part
  #groupFault: PipelineError | undefined;

  constructor(bytes: ByteReader, options: ShardReaderOptions) {
    this.#source = bytes;
    this.#shard = shownAddress(options.url);
    this.#window = new Window(bytes, options.memory ?? new WindowMemory(options.windowBytes ?? 1 << 20), options.start);
    this.#members = new Members(this.#window);
    this.#isFiles = options.members === "files";
    this.#isMarkerOptional = options.endMarker === "optional";
  }

  /** What was odd about the shard and cost no sample that its writer finished. */
  get warnings(): readonly string[] {
    return [...this.#members.warnings, ...(this.#source.warnings ?? [])];
  }

  /**
   * Up to `max` more samples, at least one, or undefined at the end of the shard.
   *
   * @throws {PipelineError} `SHARD_TRUNCATED`, `SHARD_CORRUPT`, `SHARD_UNREADABLE`
   */
  async read(max: number): Promise<Records | undefined> {
    if (!(max >= 1)) throw new RangeError(`Cannot read samples as max must be a number >= 1: current value is ${max}`);
    if ((await this.#advance(max)) === 0) return undefined;
    const { bytes, view } = this.#window;
    return {
      length: this.#count,
      bytes,
      view,
      starts: this.#starts,
      ends: this.#ends,
      keys: this.#keys.take(),
      ...(this.#isFiles && { parts: this.#rows }),
      ...(this.#faults && { faults: this.#faults }),
    };
  }

  /** Passes over up to `count` samples; gives how many there were. */
  async skip(count: number): Promise<number> {
    let skipped = 0;
    while (skipped < count) {
      // An error behind samples that were passed over is left to the next call, so that their number is not lost.
      if (skipped > 0 && this.#error !== undefined) break;
      const found = await this.#advance(count - skipped, skipped > 0);
      if (found === 0) break;
      skipped += found;
    }
    return skipped;
  }

  /** Lets another shard of the same memory read large samples, until this one is read again: what was read is gone. */
  rest(): void {
    const before = this.#window.at;
    this.#window.shrink(this.#kept);
    this.#moveParts(before - this.#window.at);
  }

  /** Frees the file or socket. Twice is fine. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#error = undefined;
    this.#window.close();
    await this.#source.close();
  }

  /** Finds up to `max` samples in the window, reading on only while there is none. */
  async #advance(max: number, keepError = false): Promise<number> {
    this.#keys.reset(this.#isGiven);
    this.#count = 0;
    this.#rows = [];
    this.#faults = undefined;
    while (this.#count === 0 && this.#state === "reading") {
      try {
        const step = this.#isFiles ? this.#walkFiles(max) : this.#walkMsgpack(max);
        if (step === END) this.#finish();
        else if (this.#count === 0) await this.#readOn();
      } catch (error) {
        this.#fail(error);
      }
    }
    if (this.#count === 0 && this.#state === "draining") await this.#drain();
    if (this.#count === 0 && this.#error !== undefined && !keepError) {
      const error = this.#error;
      this.#error = undefined;
      throw error;
    }
    return this.#count;
  }

  /** Finds the next member that is a part of some sample, and splits its name. */
  #nextPart(): number {
    const members = this.#members;
    for (;;) {
      const step = members.next();
      if (step !== MEMBER || this.#keys.split(members.name, members.nameStart, members.nameEnd)) return step;
      members.pass();
    }
  }

  #walkMsgpack(max: number): number {
    const members = this.#members;
    const keys = this.#keys;
    while (this.#count < max) {
      const step = this.#nextPart();
      if (step !== MEMBER) return step;
      if (!keys.isSame()) {
        if (!this.#isGiven) {
          this.#giveFault(this.#withoutMsgpack());
          continue; // the member is looked at again: this may have been the last sample that was asked for
        }
        this.#open();
      }
      if (!isMsgpack(members.name, keys.extension, keys.extensionEnd)) {
        if (!this.#isGiven && this.#others.size < 9) this.#others.add(this.#extension());
        members.pass();
      } else if (this.#isGiven) {
        this.#open();
        members.pass();
        this.#giveFault(this.#twice("msgpack"));
      } else {
        const { dataStart, dataEnd } = members;
        if (!members.take(dataStart)) return MORE;
        this.#give(dataStart, dataEnd);
      }
    }
    return MEMBER;
  }

  #walkFiles(max: number): number {
    const members = this.#members;
    const keys = this.#keys;
    while (this.#count < max) {
      const step = this.#nextPart();
      if (step !== MEMBER) return step;
      const extension = this.#extension();
      const isSame = keys.isSame();
      if (!this.#isGiven && (!isSame || (this.#groupFault === undefined && this.#parts.has(extension)))) {
        this.#giveGroup();
        continue; // as above: the member is looked at again
      }
      if (this.#isGiven) {
        this.#open();
        // Only a file that is there twice leads here with the key of the group before it.
        if (isSame) this.#groupFault = this.#twice(extension);
      }
      if (this.#groupFault !== undefined) {
        members.pass();
        continue;
      }
      const { dataStart: start, dataEnd: end } = members;
      if (this.#parts.size === 0) this.#groupStart = start;
      if (!members.take(this.#groupStart)) return MORE;
      this.#parts.set(extension, { extension, start, end });
    }
    return MEMBER;
  }

  async #readOn(): Promise<void> {
    const window = this.#window;
    if (window.ended) {
      this.#members.checkEnd((total) => this.#isMarkerOptional || total === this.#source.size);
      this.#finish();
      return;
    }
    const before = window.at;
    await window.more(this.#kept, this.#members.need);
    this.#moveParts(before - window.at);
  }

  /** From where on the window must stay as it is. */
  get #kept(): number {
    return this.#parts.size > 0 ? this.#groupStart : this.#window.at;
  }

  /** The window has moved to the front what it holds of the open group. */
  #moveParts(by: number): void {
    if (by === 0) return;
    this.#groupStart -= by;
    for (const [extension, { start, end }] of this.#parts) {
      this.#parts.set(extension, { extension, start: start - by, end: end - by });
    }
  }

  /** The regular end: what is open is complete. */
  #finish(): void {
    this.#state = "draining";
    if (this.#isGiven) return;
    if (this.#isFiles) this.#giveGroup();
    else this.#giveFault(this.#withoutMsgpack());
  }

  /** Keeps the error for when the samples before it are given. A group counts as one if its msgpack file is whole. */
  #fail(error: unknown): void {
    this.#state = "done";
    if (!(error instanceof Damage || error instanceof PipelineError)) throw error;
    if (this.#isFiles && !this.#isGiven && this.#parts.has("msgpack")) this.#giveGroup();
    // What does not fit is the sample that is being read; any other error lies behind the last whole one.
    const tooLarge = error instanceof PipelineError && error.code === "BUDGET_TOO_SMALL";
    const key = tooLarge ? this.#keys.current : this.#keys.last;
    if (error instanceof PipelineError) {
      const facts = { url: this.#shard, ...(key !== undefined && { key }) };
      this.#error = withFacts(error, { offset: this.#window.offset, ...error.facts, ...facts });
    } else {
      this.#error = error.of(this.#shard, key);
    }
  }

  /** Reads what follows the end marker: zeros are filling, and a compressed stream checks itself at its end. */
  async #drain(): Promise<void> {
    this.#state = "done";
    const window = this.#window;
    const members = this.#members;
    const end = window.offset;
    try {
      while (!members.hasStopped || this.#source.isCompressed === true) {
        if (window.offset - end > MOST_FILLING) {
          members.warnings.push(`more than ${MOST_FILLING} bytes behind the end marker are not read`);
          return;
        }
        if (!members.hasStopped && !window.bytes.subarray(window.at, window.have).every((byte) => byte === 0)) {
          members.warnings.push(`bytes behind the end marker, which ends before offset ${window.offset}, are not read`);
          members.hasStopped = true;
        }
        window.at = window.have;
        if (window.ended) return;
        if (!members.hasStopped || this.#source.isCompressed === true) await window.more(window.at, 1);
      }
    } catch (error) {
      if (!(error instanceof PipelineError && error.code === "SHARD_TRUNCATED")) this.#fail(error);
      else members.warnings.push("the filling behind the end marker is cut");
    }
  }

  #open(): void {
    this.#keys.open();
    this.#isGiven = false;
    this.#groupFault = undefined;
    if (this.#others.size > 0) this.#others.clear();
  }

  #give(start: number, end: number): void {
    const row = this.#count++;
    if (row === this.#starts.length) {
      this.#starts = doubled(this.#starts);
      this.#ends = doubled(this.#ends);
    }
    this.#starts[row] = start;
    this.#ends[row] = end;
    this.#keys.give();
    this.#isGiven = true;
  }

  #giveGroup(): void {
    if (this.#groupFault !== undefined) {
      this.#giveFault(this.#groupFault);
      return;
    }
    const part = this.#parts.get("msgpack");
    this.#rows.push([...this.#parts.values()]);
    this.#parts.clear();
    this.#give(part?.start ?? -1, part?.end ?? -1);
  }

  #giveFault(fault: PipelineError): void {
    this.#faults ??= new Map();
    this.#faults.set(this.#count, fault);
    if (this.#isFiles) this.#rows.push([]);
    this.#give(-1, -1);
  }

  /** Extension of the member that is looked at. */
  #extension(): string {
    const { extension, extensionEnd } = this.#keys;
    return decodeName(new Uint8Array(this.#members.name.buffer), extension, extensionEnd).toLowerCase();
  }

  #withoutMsgpack(): PipelineError {
    const others = [...this.#others].map((extension) => `.${extension}`).join(", ");
    return this.#badSample(`it has no .msgpack member, only ${others}`, 'pass { members: "files" }');
  }

  #twice(extension: string): PipelineError {
    return this.#badSample(`it has two .${extension} members`, "give samples keys of their own");
  }

  #badSample(what: string, hint: string): PipelineError {
    const key = this.#keys.current;
    const message = `Cannot read sample "${key}" of "${this.#shard}": ${what}`;
    return new PipelineError("SAMPLE_CORRUPT", message, { url: this.#shard, key, hint });
  }
}

/** Filling behind the end marker that is read: tar fills up to records of some KiB, and zeros without end are no filling. */
const MOST_FILLING = 64 << 20;

const MSGPACK = new TextEncoder().encode("msgpack");

/** Whether a name ends with the extension `msgpack`, in any case. */
export function isMsgpack(name: DataView, start: number, end: number): boolean {
  if (end - start !== MSGPACK.length) return false;
  for (let i = 0; i < MSGPACK.length; i++) if ((name.getUint8(start + i) | 0x20) !== MSGPACK[i]) return false;
  return true;
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
