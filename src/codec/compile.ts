/**
 * Whether functions may be built from text here: browsers and edge runtimes can forbid it. What is built comes from our own
 * templates; names from schemas enter only as JSON strings or as numbers.
 */
export const canCompile: boolean = (() => {
  try {
    return new Function("return true")() === true;
  } catch {
    return false;
  }
})();

/** Builds a function from its text, with values it may use by name. */
export function compile<F>(body: string, uses: Readonly<Record<string, unknown>> = {}): F {
  return new Function(...Object.keys(uses), body)(...Object.values(uses)) as F;
}
