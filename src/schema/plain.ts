/** Whether a value is an object that stands for a map, and no instance of some class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null; // also an object of another realm
}

/** What an object itself holds under a name: `toString` and `__proto__` are names of fields like any others. */
export function ownValue(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A value in words: `the number 3`, `an NdArray`. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
    case "number":
      return `the number ${Object.is(value, -0) ? "-0" : value}`;
    case "bigint":
      return `the bigint ${value}`;
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      break;
    default:
      return `a ${typeof value}`;
  }
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  const name = isPlainObject(value) ? "object" : (value.constructor?.name ?? "object");
  return `${/^[AEIO]/i.test(name) || name === "NdArray" ? "an" : "a"} ${name}`;
}
