import {
  type KeptSample,
  keptBytes,
  keptValue,
  type QuarantineHead,
  quarantineText,
} from "../codec/quarantine-line.ts";
import { builtin } from "../runtime/runtime.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { unwritable } from "../storage/byte-writer.ts";
import type { OpenQuarantine, QuarantinedFault } from "../streams/quarantine.ts";

/** The file of a quarantine, in one run. */
export class QuarantineFile implements OpenQuarantine {
  readonly #path: string;
  readonly #type: AnySampleType | undefined;
  /** As text, as it is the same in each line. */
  readonly #schema: string | undefined;
  readonly #fd: number;
  #text = "";

  constructor(path: string, type: AnySampleType | undefined) {
    this.#path = path;
    this.#type = type;
    this.#schema = type && JSON.stringify(type.toJSON());
    this.#fd = this.#guarded(() => openToAppend(path));
  }

  put(fault: QuarantinedFault): void {
    this.#text += `${quarantineText(headOf(fault), this.#schema, this.#keptOf(fault))}\n`;
    if (this.#text.length > MOST_TEXT) this.flush();
  }

  flush(): void {
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    this.#guarded(() => append(this.#fd, text));
  }

  close(): void {
    try {
      this.flush();
    } finally {
      builtin("fs").closeSync(this.#fd);
    }
  }

  #keptOf(fault: QuarantinedFault): KeptSample {
    if (fault.scope !== "sample" || fault.input.stored === undefined) return {};
    const { stored } = fault.input;
    return "bytes" in stored ? keptBytes(stored.bytes, stored.extension) : keptValue(stored.value, this.#type);
  }

  #guarded<R>(work: () => R): R {
    try {
      return work();
    } catch (cause) {
      throw unwritable(this.#path, cause);
    }
  }
}

/** Characters that wait to be written: of large samples no more than one does. */
const MOST_TEXT = 1 << 18;

function headOf(fault: QuarantinedFault): QuarantineHead {
  const { code, message, hint } = fault.error;
  const { scope } = fault;
  const head = { version: 1, scope, error: { code, message, ...(hint !== undefined && { hint }) } } as const;
  if (scope === "source") return { ...head, source: fault.source };
  if (scope === "shard") return { ...head, shard: fault.shard, index: fault.index };
  const { stage, at, given, input } = fault;
  return { ...head, stage, at, ...input.origin, ...(given > 0 && { given }) };
}

function openToAppend(path: string): number {
  const { closeSync, fstatSync, mkdirSync, openSync, readSync } = builtin("fs");
  mkdirSync(builtin("path").dirname(path), { recursive: true });
  const fd = openSync(path, "a+");
  try {
    // A line that was cut, by a full disk, must not spoil the next one.
    const { size } = fstatSync(fd);
    const last = new Uint8Array(1);
    if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a) append(fd, "\n");
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** One call where the system takes it whole: lines of several processes do not mix. */
function append(fd: number, text: string): void {
  const { writeSync } = builtin("fs");
  // Text rather than bytes: that saves a copy.
  const written = writeSync(fd, text);
  if (written === text.length) return;
  const bytes = new TextEncoder().encode(text);
  for (let at = written; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
