import { free } from "../runtime/allocate.ts";
import type { Holder } from "../streams/budget.ts";
import { BLOCK } from "./window.ts";

/**
 * The memory of the read windows of one pass. Of shards that are read in turn, only the one whose turn it is can be in the
 * middle of a sample: so there is one large window among them, for samples that the windows of their own cannot hold.
 */
export class WindowMemory {
  /** Bytes of the window of each shard, as a rule. */
  readonly windowBytes: number;
  readonly #holder: Holder | undefined;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #large: Uint8Array<ArrayBuffer> | undefined;

  constructor(windowBytes: number, holder?: Holder) {
    this.windowBytes = Math.max(2, Math.ceil(windowBytes / BLOCK)) * BLOCK;
    this.#holder = holder;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.windowBytes);
  }

  /** A window for what is read on in, of `wanted` bytes at best and more than `least`: not more than twice that at once. */
  takeLarge(wanted: number, least: number): Uint8Array<ArrayBuffer> {
    // Before it is read: what the header says is enough to know that it cannot fit.
    this.#holder?.hold(wanted, 1);
    const large = this.#large;
    this.#large = undefined;
    if (large !== undefined && large.length > least) return large;
    if (large !== undefined) free(large);
    return new Uint8Array(Math.min(wanted, 2 * least));
  }

  give(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length === this.windowBytes) {
      this.#free.push(bytes);
    } else {
      const [smaller, larger] = [this.#large, bytes].sort((a, b) => (a?.length ?? 0) - (b?.length ?? 0));
      if (smaller !== undefined) free(smaller);
      this.#large = larger;
    }
  }

  /** The pass is over. */
  close(): void {
    for (const bytes of this.#free.splice(0)) free(bytes);
    if (this.#large !== undefined) free(this.#large);
    this.#large = undefined;
  }
}
