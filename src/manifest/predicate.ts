/** What a field can be compared with. */
export type Comparable = string | number | bigint | boolean;
type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** A condition on the fields of a sample, as plain data. Made with {@link predicate}. */
export type Predicate =
  | { readonly op: Comparison; readonly field: string; readonly value: Comparable }
  | { readonly op: "in"; readonly field: string; readonly values: readonly Comparable[] }
  | { readonly op: "isNull"; readonly field: string }
  | { readonly op: "and" | "or"; readonly of: readonly Predicate[] }
  | { readonly op: "not"; readonly of: Predicate };

interface NullTest {
  /** The optional field is absent. */
  isNull(): Predicate;
}
interface Comparisons<V> extends NullTest {
  eq(value: V): Predicate;
  /** Not equal; an absent value is not equal to any. */
  ne(value: V): Predicate;
  lt(value: V): Predicate;
  le(value: V): Predicate;
  gt(value: V): Predicate;
  ge(value: V): Predicate;
  in(values: readonly V[]): Predicate;
}
// Without the detour, boolean would be taken apart into true | false, and number | bigint likewise.
type Widened<V> = V extends boolean ? boolean : V extends number | bigint ? number | bigint : V;
type FieldTests<V> = NonNullable<V> extends Comparable ? Comparisons<Widened<NonNullable<V>>> : NullTest;

/** The fields of a sample, each with the tests that fit it. */
export type PredicateFields<T> = { readonly [K in keyof T & string]: FieldTests<T[K]> };

/** The same of an untyped sample, whose fields are known only when it is there. */
export type UntypedPredicateBuilder = (fields: { readonly [field: string]: Comparisons<Comparable> }) => Predicate;

/** Says a condition by the fields of a sample: `(photo) => photo.label.eq("cat")`. */
export type PredicateBuilder<T> = (fields: PredicateFields<T>) => Predicate;

function fieldTests(field: string): Comparisons<Comparable> {
  const compare =
    (op: Comparison) =>
    (value: Comparable): Predicate => ({ op, field, value: comparable(op, field, value) });
  return {
    eq: compare("eq"),
    ne: compare("ne"),
    lt: compare("lt"),
    le: compare("le"),
    gt: compare("gt"),
    ge: compare("ge"),
    in: (values) => ({ op: "in", field, values: values.map((value) => comparable("in", field, value)) }),
    isNull: () => ({ op: "isNull", field }),
  };
}

function comparable(op: string, field: string, value: Comparable): Comparable {
  if (["string", "number", "bigint", "boolean"].includes(typeof value)) return value;
  const hint = value === null ? "; an absent field is tested with isNull()" : "";
  throw new TypeError(`Cannot compare "${field}" with ${op}: the value must be text, a number or a boolean${hint}`);
}

/** Makes a predicate from a builder; a predicate stays as it is. */
export function predicate<T>(from: Predicate | PredicateBuilder<T>): Predicate {
  if (typeof from !== "function") return from;
  const fields = new Proxy({} as PredicateFields<T>, {
    get: (_, name) => (typeof name === "string" ? fieldTests(name) : undefined),
  });
  return from(fields);
}

/** All of the conditions hold. @example `where((p) => and(p.label.eq("cat"), p.score.gt(0.5)))` */
export const and = (...of: readonly Predicate[]): Predicate => ({ op: "and", of });
/** One of the conditions holds, or several. */
export const or = (...of: readonly Predicate[]): Predicate => ({ op: "or", of });
/** The condition does not hold. */
export const not = (of: Predicate): Predicate => ({ op: "not", of });

/** The fields that a predicate looks at. */
export function fieldsOf(predicate: Predicate): readonly string[] {
  switch (predicate.op) {
    case "and":
    case "or":
      return [...new Set(predicate.of.flatMap(fieldsOf))];
    case "not":
      return fieldsOf(predicate.of);
    default:
      return [predicate.field];
  }
}

/** A predicate ready for use on rows, given how the value of a field is found. */
export function bind(
  predicate: Predicate,
  valueIn: (field: string) => (row: number) => unknown,
): (row: number) => boolean {
  switch (predicate.op) {
    case "and": {
      const all = predicate.of.map((inner) => bind(inner, valueIn));
      return (row) => all.every((test) => test(row));
    }
    case "or": {
      const any = predicate.of.map((inner) => bind(inner, valueIn));
      return (row) => any.some((test) => test(row));
    }
    case "not": {
      const inner = bind(predicate.of, valueIn);
      return (row) => !inner(row);
    }
    case "isNull": {
      const value = valueIn(predicate.field);
      return (row) => (value(row) ?? null) === null;
    }
    case "in": {
      const value = valueIn(predicate.field);
      const { values } = predicate;
      return (row) => values.some((wanted) => same(value(row), wanted));
    }
    default:
      return comparison(predicate.op, valueIn(predicate.field), predicate.value);
  }
}

// A bigint and a number of equal value are the same number, wherever int fields may be either.
const same = (a: unknown, b: Comparable): boolean =>
  typeof a === typeof b
    ? a === b
    : isNumber(a) && isNumber(b) && (a as number) <= (b as number) && (a as number) >= (b as number);
const isNumber = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint";
// Only like is ordered with like; an absent value is neither below nor above.
const ordered = (a: unknown, b: Comparable): boolean => typeof a === typeof b || (isNumber(a) && isNumber(b));

function comparison(op: Comparison, value: (row: number) => unknown, wanted: Comparable): (row: number) => boolean {
  switch (op) {
    case "eq":
      return (row) => same(value(row), wanted);
    case "ne":
      return (row) => !same(value(row), wanted);
    case "lt":
      return (row) => ordered(value(row), wanted) && (value(row) as Comparable) < wanted;
    case "le":
      return (row) => ordered(value(row), wanted) && (value(row) as Comparable) <= wanted;
    case "gt":
      return (row) => ordered(value(row), wanted) && (value(row) as Comparable) > wanted;
    case "ge":
      return (row) => ordered(value(row), wanted) && (value(row) as Comparable) >= wanted;
  }
}
