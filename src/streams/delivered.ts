import { blockOf, comparePlaces, type ShuffleOrder } from "./order.ts";
import { ownerOf } from "./ranks.ts";
import type { Place, Trace } from "./trace.ts";

/**
 * What ranks had delivered when they were stopped: of the share of each, all up to and including a place in the order
 * `[position, part]`, or all of it, or nothing (`null`).
 */
export interface DeliveredByRanks {
  readonly worldSize: number;
  readonly places: readonly (readonly [position: number, part: number] | "all" | null)[];
}

interface Group {
  readonly worldSize: number;
  readonly places: readonly (Place | "all" | undefined)[];
}

/** What was delivered by ranks of any numbers, one after another. A sample was when any of them says so. */
export class Delivered {
  readonly #groups: readonly Group[];
  /** How much lower a position is in the source than in the last segment. */
  readonly #shift: number;
  readonly #order: ShuffleOrder | undefined;

  constructor(list: readonly DeliveredByRanks[], order: ShuffleOrder | undefined, shift: number) {
    this.#groups = list.map(({ worldSize, places }) => ({
      worldSize,
      places: places.map((place) =>
        place === null ? undefined : place === "all" ? "all" : { position: place[0], part: place[1] },
      ),
    }));
    this.#order = order;
    this.#shift = shift;
  }

  /** Where the source is to be read from: everything before was delivered. Infinity: everything was. */
  get start(): number {
    let start = 0;
    for (const { places } of this.#groups) {
      const from = Math.min(...places.map((place) => this.#startAt(place)));
      start = Math.max(start, from - this.#shift);
    }
    return start;
  }

  #startAt(place: Place | "all" | undefined): number {
    if (place === undefined) return 0;
    if (place === "all") return Number.POSITIVE_INFINITY;
    // A block comes out in an order of its own: what is missing may be anywhere in it.
    return this.#order === undefined ? place.position : blockOf(this.#order, place.position) * this.#order.window;
  }

  /** Whether a row was delivered. */
  has(trace: Trace, row: number): boolean {
    const here = { position: trace.position(row), part: trace.part(row) };
    return this.#groups.some(({ worldSize, places }) => {
      const place = places[ownerOf(here.position - this.#shift, worldSize)];
      return place === "all" || (place !== undefined && comparePlaces(this.#order, here, place) <= 0);
    });
  }
}

/** Adds how far a rank has come to what was delivered before. */
export function withPlace(
  list: readonly DeliveredByRanks[],
  rank: number,
  worldSize: number,
  place: Place | "all" | undefined,
): readonly DeliveredByRanks[] {
  if (place === undefined) return list;
  const spelled = place === "all" ? place : ([place.position, place.part] as const);
  // What a rank of the same number of ranks delivered before lies further back.
  const same = list.find((group) => group.worldSize === worldSize);
  const places = Array.from({ length: worldSize }, (_, r) => (r === rank ? spelled : (same?.places[r] ?? null)));
  return [...list.filter((group) => group !== same), { worldSize, places }];
}

/** What is in any of two lists. */
export function unite(a: readonly DeliveredByRanks[], b: readonly DeliveredByRanks[]): readonly DeliveredByRanks[] {
  let all = a;
  for (const group of b) {
    const same = all.find(({ worldSize }) => worldSize === group.worldSize);
    const canJoin =
      same === undefined ||
      group.places.every((place, r) => {
        const other = same.places[r] ?? null;
        return place === null || other === null || String(place) === String(other);
      });
    if (!canJoin) all = [...all, group];
    else {
      const places = group.places.map((place, r) => place ?? same?.places[r] ?? null);
      all = [...all.filter((other) => other !== same), { worldSize: group.worldSize, places }];
    }
  }
  return all;
}
