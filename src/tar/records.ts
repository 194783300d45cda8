import type { PipelineError } from "../errors.ts";
import type { SampleKeys } from "./keys.ts";

/** One file of a sample. Its data is `bytes[start..end)` of the {@link Records} it came with. */
export interface Part {
  /** What follows the first dot of the file's name, in lower case: `jpg`, `seg.png`. */
  readonly extension: string;
  readonly start: number;
  readonly end: number;
}

/** Samples that lie whole in the reader's window, as parallel arrays; all but `keys` is valid until the next read. */
export interface Records {
  readonly length: number;
  /** The window. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The window's memory, with the same offsets. */
  readonly view: DataView;
  /** Where the msgpack data of sample `i` begins; -1 where there is none. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Keys, in memory of their own: they stay as they are when reading goes on. */
  readonly keys: SampleKeys;
  /** The files of each sample, where the reader was asked for `members: "files"`. */
  readonly parts?: readonly (readonly Part[])[];
  /** Samples that are wrong by themselves, by their place here. */
  readonly faults?: ReadonlyMap<number, PipelineError>;
}
