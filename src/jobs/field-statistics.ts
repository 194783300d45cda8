import type { AnySampleType, NamedField } from "../schema/sample.ts";

/** What is known of the values of one field of a shard. */
export type FieldStatistics = {
  /** Samples without a value. */
  readonly nulls: number;
  /**
   * The least and the greatest value of numbers, texts (by UTF-16 code units) and truth values. Whole numbers that JavaScript's
   * numbers do not hold, and infinities, are text. NaN does not count; absent where nothing did, or a text is longer than 256.
   */
  readonly min?: Bound;
  readonly max?: Bound;
};
type Bound = number | string | boolean;
type Ordered = Bound | bigint;

const LONGEST = 256;
const ORDERED: ReadonlySet<string> = new Set(["string", "int", "float", "bool"]);

/** Collects the statistics of the fields of samples that pass by. */
export class StatisticsCollector {
  readonly #fields: readonly FieldCollector[];

  /** Without a type nothing is known of the fields. */
  constructor(type: AnySampleType | undefined) {
    this.#fields = (type?.fields ?? []).map((field) => new FieldCollector(field));
  }

  add(rows: readonly unknown[]): void {
    for (const field of this.#fields) field.add(rows);
  }

  get fields(): { readonly [name: string]: FieldStatistics } {
    return Object.fromEntries(this.#fields.map((field) => [field.name, field.statistics]));
  }
}

class FieldCollector {
  readonly name: string;
  readonly #isOrdered: boolean;
  #nulls = 0;
  #min: Ordered | undefined;
  #max: Ordered | undefined;

  constructor({ name, spec }: NamedField) {
    this.name = name;
    this.#isOrdered = ORDERED.has(spec.kind);
  }

  add(rows: readonly unknown[]): void {
    const { name } = this;
    for (const row of rows) {
      const value = (row as Readonly<Record<string, Ordered | null | undefined>>)[name];
      if (value === undefined || value === null) {
        this.#nulls++;
      } else if (this.#isOrdered && !Number.isNaN(value)) {
        if (this.#min === undefined || value < this.#min) this.#min = value;
        if (this.#max === undefined || value > this.#max) this.#max = value;
      }
    }
  }

  get statistics(): FieldStatistics {
    const [min, max] = [boundOf(this.#min), boundOf(this.#max)];
    return { nulls: this.#nulls, ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  }
}

function boundOf(value: Ordered | undefined): Bound | undefined {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return typeof value === "string" && value.length > LONGEST ? undefined : value;
}
