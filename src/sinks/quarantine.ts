import { type QuarantineLine, quarantinedBytes, quarantinedError, quarantinedValue } from "../codec/quarantine-line.ts";
import { misuse } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { unwritable } from "../storage/byte-writer.ts";
import type { OpenQuarantine, Quarantine, QuarantinedFault } from "../streams/quarantine.ts";

/**
 * An error policy: goes on behind what fails, as `"skip"` does, and appends it to a file of JSON lines: the error, the stage,
 * the origin, and the sample as it was stored. Each line is written at once, so that it outlives a process that is killed.
 * {@link replay} runs them again.
 *
 * @example
 * ```ts
 * const run = fromArray([1, 0, 2]).map((n) => 2n / BigInt(n)).run({ onError: quarantine("bad.jsonl") });
 * await Array.fromAsync(run); // [2n, 1n]
 * run.summary.quarantinedSamples; // 1
 * ```
 */
export function quarantine(path: string): Quarantine {
  if (typeof path !== "string" || path === "") {
    throw misuse(new TypeError("Cannot make a quarantine: its path must be text"));
  }
  return { open: (type) => new QuarantineFile(path, type) };
}

class QuarantineFile implements OpenQuarantine {
  readonly #path: string;
  readonly #type: AnySampleType | undefined;
  readonly #schema: Pick<QuarantineLine, "schema">;
  readonly #fd: number;

  constructor(path: string, type: AnySampleType | undefined) {
    this.#path = path;
    this.#type = type;
    this.#schema = type === undefined ? {} : { schema: type.toJSON() };
    this.#fd = this.#guarded(() => openToAppend(path));
  }

  put(fault: QuarantinedFault): void {
    this.#guarded(() => appendLine(this.#fd, JSON.stringify(this.#line(fault))));
  }

  close(): void {
    builtin("fs").closeSync(this.#fd);
  }

  #line(fault: QuarantinedFault): QuarantineLine {
    const { scope } = fault;
    const head = { version: 1, scope, error: quarantinedError(fault.error) } as const;
    if (scope === "source") return { ...head, source: fault.source };
    if (scope === "shard") return { ...head, shard: fault.shard, index: fault.index, ...this.#schema };
    const { stage, at, given } = fault;
    const { origin, stored } = fault.input;
    return { ...head, stage, at, ...origin, ...(given > 0 && { given }), ...this.#schema, ...this.#kept(stored) };
  }

  #kept(stored: (QuarantinedFault & { scope: "sample" })["input"]["stored"]): Pick<QuarantineLine, "parts" | "value"> {
    if (stored === undefined) return {};
    return "bytes" in stored
      ? quarantinedBytes(stored.bytes, stored.extension)
      : quarantinedValue(stored.value, this.#type);
  }

  #guarded<R>(work: () => R): R {
    try {
      return work();
    } catch (cause) {
      throw unwritable(this.#path, cause);
    }
  }
}

function openToAppend(path: string): number {
  const { closeSync, fstatSync, mkdirSync, openSync, readSync } = builtin("fs");
  mkdirSync(builtin("path").dirname(path), { recursive: true });
  const fd = openSync(path, "a+");
  try {
    // A line that was cut, by a full disk, must not spoil the next one.
    const { size } = fstatSync(fd);
    const last = new Uint8Array(1);
    if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a) appendLine(fd, "");
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** One call where the system takes it whole: lines of several processes do not mix. */
function appendLine(fd: number, text: string): void {
  const bytes = new TextEncoder().encode(`${text}\n`);
  const { writeSync } = builtin("fs");
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
