/** Neighbouring positions of an order. */
export interface PositionRange {
  readonly from: number;
  /** Behind the last one; `Infinity` where nobody knows how many there are. */
  readonly to: number;
}

/** The positions of an order that are read: all of them, or those of one rank. */
export interface Share {
  /** The next range: what of it is at or behind `position`. Undefined: there is none. */
  next(position: number): PositionRange | undefined;
}

/** All positions: there is one rank. */
export const wholeShare: Share = { next: (position) => ({ from: position, to: Number.POSITIVE_INFINITY }) };

/** Walks along a share, for sources that meet sample after sample anyway. */
export class ShareCursor {
  readonly #share: Share;
  #range: PositionRange | undefined;

  constructor(share: Share, from: number) {
    this.#share = share;
    this.#range = share.next(from);
  }

  /** Nothing more is to be read. */
  get ended(): boolean {
    return this.#range === undefined;
  }

  /** Whether a position is to be read; each call with a larger one than before. */
  has(position: number): boolean {
    while (this.#range !== undefined && position >= this.#range.to) this.#range = this.#share.next(position);
    return this.#range !== undefined && position >= this.#range.from;
  }
}
