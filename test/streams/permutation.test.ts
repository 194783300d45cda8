import { describe, expect, it } from "vitest";
import { permutationOf } from "../../src/streams/permutation.ts";
import { randomNumbers } from "../../src/streams/random.ts";
import { soakRuns } from "../soak.ts";

const seen = new Uint32Array(2 ** 20 + 2);
let mark = 0;

/** Whether each number stands at one place. */
function isBijection(length: number, seed: number, epoch: number): boolean {
  const order = permutationOf(length, seed, epoch);
  mark++;
  for (let place = 0; place < length; place++) {
    const number = order.at(place);
    if (!(Number.isInteger(number) && number >= 0 && number < length) || seen[number] === mark) return false;
    seen[number] = mark;
  }
  return true;
}

describe("permutationOf()", () => {
  const isSoak = soakRuns(1) > 1;

  it("has each number once, for every small count", { timeout: 600_000 }, () => {
    const wrong: number[] = [];
    for (let length = 0; length <= (isSoak ? 20_000 : 3_000); length++) {
      if (!isBijection(length, 7 * length, length % 5)) wrong.push(length);
    }
    expect(wrong).toEqual([]);
  });

  it("has each number once, for random counts", { timeout: 600_000 }, () => {
    const random = randomNumbers(4);
    const counts = Array.from({ length: isSoak ? 3_000 : 100 }, () => Math.floor(random() * 100_000));
    expect(counts.filter((length) => !isBijection(length, length, 1))).toEqual([]);
  });

  it("has each number once beside every power of two, up to 2^20", { timeout: 120_000 }, () => {
    const wrong: number[] = [];
    for (let k = 1; k <= 20; k++) {
      for (const length of [2 ** k - 1, 2 ** k, 2 ** k + 1]) if (!isBijection(length, k, 0)) wrong.push(length);
    }
    expect(wrong).toEqual([]);
  });

  it("has no number twice among many beside every power of two, up to 2^40", () => {
    const wrong: number[] = [];
    for (let k = 21; k <= 40; k++) {
      for (const length of [2 ** k - 1, 2 ** k, 2 ** k + 1]) {
        const order = permutationOf(length, k, 3);
        const numbers = new Set<number>();
        const places = new Set<number>();
        const random = randomNumbers(k);
        for (let i = 0; i < soakRuns(1_000); i++) {
          places.add(i);
          places.add(length - 1 - i);
          places.add(Math.floor(random() * length));
        }
        for (const place of places) numbers.add(order.at(place));
        const isInside = [...numbers].every((number) => Number.isInteger(number) && number >= 0 && number < length);
        if (!isInside || numbers.size !== places.size) wrong.push(length);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("depends on count, seed, epoch and what is told beside them, and on nothing else", () => {
    const first = (...of: Parameters<typeof permutationOf>) =>
      Array.from({ length: 8 }, (_, i) => permutationOf(...of).at(i));
    for (const length of [1_000, 1_000_000]) {
      const base = first(length, 1, 0);
      expect(first(length, 1, 0)).toEqual(base);
      for (const other of [first(length, 2, 0), first(length, 1, 1), first(length, 1, 0, 5), first(length + 1, 1, 0)]) {
        expect(other).not.toEqual(base);
      }
    }
    // Orders outlive versions: a checkpoint goes by them.
    expect(first(1_000, 42, 0)).toMatchInlineSnapshot(`
      [
        139,
        563,
        391,
        385,
        249,
        980,
        939,
        351,
      ]
    `);
    expect(first(1_000_000, 42, 0)).toMatchInlineSnapshot(`
      [
        693299,
        214711,
        55425,
        700514,
        326590,
        43889,
        412318,
        702714,
      ]
    `);
    expect(first(2 ** 40, 42, 0)).toMatchInlineSnapshot(`
      [
        327036814875,
        365334131170,
        804825147323,
        904918846965,
        39946952206,
        602752576093,
        528163857518,
        676793681370,
      ]
    `);
  });

  it("scatters numbers as chance would", () => {
    // Of 256 places in a row over 200 shards of 1,000, chance meets 200 * (1 - (1 - 1/200)^256) = 144.6 shards.
    for (const [shards, size] of [
      [200, 1_000],
      [200, 100],
    ] as const) {
      const order = permutationOf(shards * size, 1, 0);
      let distinct = 0;
      const windows = 70;
      for (let w = 0; w < windows; w++) {
        distinct += new Set(Array.from({ length: 256 }, (_, i) => Math.floor(order.at(w * 256 + i) / size))).size;
      }
      expect(distinct / windows).toBeGreaterThan(140);
      expect(distinct / windows).toBeLessThan(149);
    }
    const order = permutationOf(100_000, 3, 0);
    let [adjacent, fixed] = [0, 0];
    for (let place = 0; place + 1 < order.length; place++) {
      if (Math.abs(order.at(place + 1) - order.at(place)) === 1) adjacent++;
      if (order.at(place) === place) fixed++;
    }
    expect(adjacent).toBeLessThan(12); // 2 is expected
    expect(fixed).toBeLessThan(8); // 1 is expected
  });

  it("takes under half a microsecond an index", () => {
    let sum = 0;
    for (const length of [60_000, 2 ** 20 + 1, 2 ** 40 + 1]) {
      const order = permutationOf(length, 1, 0);
      let fastest = Infinity;
      for (let run = 0; run < 7; run++) {
        const start = performance.now();
        for (let place = 0; place < 50_000; place++) sum += order.at(place);
        fastest = Math.min(fastest, performance.now() - start);
      }
      expect(fastest / 50_000).toBeLessThan(0.0005); // ms
    }
    expect(sum).toBeGreaterThan(0);
  });
});
