import { misuse } from "../errors.ts";
import type { Quarantine } from "../streams/quarantine.ts";

/**
 * An error policy: goes on behind what fails, as `"skip"` does, and appends it to a file of JSON lines: the error, the stage,
 * the origin, and the sample as it was stored. Lines are written before any later item is handed out: what a process that is
 * killed has not written, the run that goes on from its checkpoint meets with again.
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
  return {
    async open(type) {
      return new (await import("./loaded-later.ts")).QuarantineFile(path, type);
    },
  };
}
