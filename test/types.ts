/** `true` when A and B are the same type: assignable both ways is not enough, as `any` is assignable to everything. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * Checked by `tsc`, not at run time: the value's type must be exactly `T`. For files named `*.test-d.ts`.
 *
 * @example
 * ```ts no-run
 * expectType<string>()(photo.label);
 * // @ts-expect-error a label is no number
 * expectType<number>()(photo.label);
 * ```
 */
export function expectType<Expected>(): <Actual>(
  value: Actual & (Equal<Actual, Expected> extends true ? unknown : never),
) => void {
  return () => {};
}
