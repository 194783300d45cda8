/**
 * A 32-bit hash of whole numbers below 2^53 (the finalizer of MurmurHash3 over their halves). Equal everywhere and for ever:
 * orders and checkpoints depend on it.
 */
export function hashNumbers(...numbers: readonly number[]): number {
  let h = 0x9747b28c;
  for (const n of numbers) {
    h = mix(h, n >>> 0);
    h = mix(h, Math.floor(n / 4294967296) >>> 0);
  }
  return finish(h);
}

/** One step of {@link hashNumbers}: takes 32 bits in. */
export function mix(h: number, bits: number): number {
  let k = Math.imul(bits, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  h ^= k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** The last step of {@link hashNumbers}, to an unsigned number. */
export function finish(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The numbers 0..n-1 in an order that depends on the seed alone (Fisher-Yates). */
export function permutation(n: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const random = randomNumbers(seed);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
  return order;
}
