/** Neighbouring positions of an order, and where to find what is handed out under them. */
export interface PositionRange {
  readonly from: number;
  /** Behind the last one; `Infinity` where nobody knows how many there are. */
  readonly to: number;
  /** The position that the first one is read from: `from`, unless samples are read once more as padding. */
  readonly stored: number;
}

/** The positions of an order that one rank reads. */
export interface Share {
  /** The next range of its own: what of it is at or behind `position`. Undefined: there is none. */
  next(position: number): PositionRange | undefined;
}

/** All of them: there is one rank. */
export const wholeShare: Share = {
  next: (position) => ({ from: position, to: Number.POSITIVE_INFINITY, stored: position }),
};
