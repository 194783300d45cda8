import type { Plan } from "./plan.ts";

/** How far a run has come. */
export interface RunProgress {
  /** Items handed out. */
  readonly items: number;
  /** Samples read from the source. */
  readonly samples: number;
  /** Bytes read, as they are stored; 0 for what comes from no file. */
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly itemsPerSecond: number;
  /** Samples and bytes of the whole source, where known. */
  readonly totalSamples?: number | undefined;
  readonly totalBytes?: number | undefined;
  /** How long the rest will take at this rate; absent where nobody knows how much there is, and behind a `take`. */
  readonly timeLeftMs?: number | undefined;
}

/** What sources count as they read. */
export interface Meter {
  samples: number;
  bytes: number;
  /** A shard is opened; the function that comes back is called when it is closed. */
  openShard?: ((url: string) => () => void) | undefined;
}

/** How much there is, as far as it is known. */
export interface Totals {
  readonly samples?: number | undefined;
  readonly bytes?: number | undefined;
}

/** Asks the source of a plan how much it has. What cannot be told is no error: reading will say it better. */
export async function totalsOf({ source }: Plan): Promise<Totals> {
  const known = (asked: Promise<number | undefined> | undefined) => asked?.catch(() => undefined);
  const [samples, bytes] = await Promise.all([known(source.count?.()), known(source.size?.())]);
  return { samples, bytes };
}

/** The progress that these figures make. */
export function progressOf(
  items: number,
  { samples, bytes }: Meter,
  totals: Totals,
  { elapsedMs, ended, isWhole }: { elapsedMs: number; ended: boolean; isWhole: boolean },
): RunProgress {
  const [done, total] = totals.bytes === undefined ? [samples, totals.samples] : [bytes, totals.bytes];
  const isKnown = isWhole && total !== undefined && done > 0;
  return {
    items,
    samples,
    bytes,
    elapsedMs,
    itemsPerSecond: elapsedMs > 0 ? (items * 1000) / elapsedMs : 0,
    totalSamples: totals.samples,
    totalBytes: totals.bytes,
    timeLeftMs: ended ? 0 : isKnown ? (elapsedMs * Math.max(0, total - done)) / done : undefined,
  };
}
