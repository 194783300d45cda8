import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PipelineError } from "../errors.ts";
import { schemaCid } from "./cid.ts";
import type { Field, FieldSpec } from "./field.ts";
import { type SchemaRecord, schemaRecord } from "./record.ts";
import { checkSample, type SampleIssue } from "./validate.ts";

/** The fields of a sample type, by name, in the order they are written. */
export type Fields = Readonly<Record<string, Field>>;

type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends Field<unknown, true> ? K : never }[keyof F];
type ValueOf<F> = F extends Field<infer T, infer O> ? (O extends true ? T | null : T) : never;
type Simplify<T> = { -readonly [K in keyof T]: T[K] };

/** A sample as it is read: every field is there, an absent optional one is `null`. */
export type SampleOf<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> };
/** A sample as it may be given to a writer: optional fields may be missing. */
export type SampleInput<F extends Fields> = Simplify<
  { [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K]> } & { [K in OptionalKeys<F>]?: ValueOf<F[K]> | undefined }
>;

/** The sample a type describes, as it is read: `type Photo = Infer<typeof Photo>`. */
export type Infer<S> = S extends SampleType<infer T, infer _> ? T : never;
/** The sample a type describes, as a writer takes it. */
export type InferInput<S> = S extends SampleType<infer _, infer I> ? I : never;

/** A field with its name, as a sample type holds it. */
export interface NamedField {
  readonly name: string;
  readonly spec: FieldSpec;
  readonly optional: boolean;
}

/** What {@link defineSample} takes besides the fields. */
export interface SampleTypeOptions {
  /** `major.minor.patch`. @default "1.0.0" */
  readonly version?: string;
  /** What a sample is, in a sentence; part of the schema record. @default none */
  readonly description?: string;
}

/**
 * A type of samples: named fields in an order. Also a Standard Schema (`~standard`), so that any library that takes one can
 * validate samples with it. Made by {@link defineSample}.
 */
export class SampleType<T = unknown, I = T> implements StandardSchemaV1<I, T> {
  readonly name: string;
  readonly version: string;
  readonly description: string | null;
  readonly fields: readonly NamedField[];

  constructor(name: string, fields: readonly NamedField[], { version = "1.0.0", description }: SampleTypeOptions = {}) {
    if (typeof name !== "string" || name === "")
      throw new TypeError("Cannot define a sample type: its name must be text");
    if (!/^\d+\.\d+\.\d+$/.test(version)) {
      throw new TypeError(`Cannot define "${name}": version must be major.minor.patch, not "${version}"`);
    }
    if (fields.length === 0) throw new TypeError(`Cannot define "${name}": a sample has at least one field`);
    const seen = new Set<string>();
    for (const { name: fieldName } of fields) {
      // JavaScript objects keep their keys in order, but for those that look like array indices.
      if (fieldName === "" || /^(0|[1-9]\d*)$/.test(fieldName)) {
        throw new TypeError(`Cannot define "${name}": "${fieldName}" cannot be the name of a field`);
      }
      if (seen.has(fieldName)) throw new TypeError(`Cannot define "${name}": field "${fieldName}" is there twice`);
      seen.add(fieldName);
    }
    this.name = name;
    this.version = version;
    this.description = description ?? null;
    this.fields = Object.freeze(fields.map((f) => Object.freeze({ ...f })));
  }

  /**
   * The sample, checked, with absent optional fields as `null`.
   *
   * @throws {PipelineError} `SCHEMA_MISMATCH`, naming the first field that is wrong, what it should be and what it is;
   * `INT_UNSAFE` for a whole number that its field's JavaScript number cannot hold.
   */
  parse(value: unknown): T {
    const result = checkSample(this.name, this.fields, value);
    if (result.issues === undefined) return result.value as T;
    throw mismatch(this.name, result.issues);
  }

  /** The type with only some of its fields, in its own order. */
  pick(...names: readonly string[]): AnySampleType {
    for (const wanted of names) {
      if (!this.fields.some((f) => f.name === wanted)) {
        const known = this.fields.map((f) => f.name).join(", ");
        throw new TypeError(`Cannot select "${wanted}" of ${this.name}: it has the fields ${known}`);
      }
    }
    const kept = this.fields.filter((f) => names.includes(f.name));
    return new SampleType(this.name, kept, {
      version: this.version,
      ...(this.description === null ? {} : { description: this.description }),
    });
  }

  /** The schema record that atdata keeps in an index, without `createdAt`. */
  toJSON(): SchemaRecord {
    return schemaRecord(this);
  }

  /** Content identifier of {@link toJSON}: equal fields, name, version and description give an equal CID, as in atdata. */
  cid(): Promise<string> {
    return schemaCid(this.toJSON());
  }

  get "~standard"(): StandardSchemaV1.Props<I, T> {
    return {
      version: 1,
      vendor: "shardstream",
      validate: (value) => {
        const result = checkSample(this.name, this.fields, value);
        return result.issues === undefined
          ? { value: result.value as T }
          : { issues: result.issues.map(({ message, path }) => ({ message, path })) };
      },
    };
  }
}

/** A sample type by what its samples are when read; how they may be written does not matter. */
export interface SampleTypeOf<out T>
  extends Pick<SampleType, "name" | "version" | "description" | "fields" | "pick" | "toJSON" | "cid"> {
  parse(value: unknown): T;
}

/** A sample type, whatever its samples are in TypeScript. */
export type AnySampleType = SampleTypeOf<unknown>;

function mismatch(name: string, issues: readonly SampleIssue[]): PipelineError {
  const [{ message, path, isUnsafeInt }] = issues as [SampleIssue];
  const more = issues.length === 1 ? "" : ` (and ${issues.length - 1} more)`;
  return new PipelineError(
    isUnsafeInt === true ? "INT_UNSAFE" : "SCHEMA_MISMATCH",
    `Cannot take the value as ${name}: ${message}${more}`,
    {
      field: path[0],
      ...(isUnsafeInt === true && {
        hint: 'declare the field as field.int("bigint"), or field.int("auto") for either',
      }),
      issues: issues.map((issue) => issue.message),
    },
  );
}

/**
 * Declares a type of samples.
 *
 * @example
 * ```ts
 * const Photo = defineSample("Photo", { pixels: field.ndarray("uint8", [null, null, 3]), label: field.string() });
 * type Photo = Infer<typeof Photo>; // { pixels: NdArray<"uint8">; label: string }
 * ```
 * @throws {TypeError} If there is no field, or a name is a whole number (JavaScript would change its place).
 */
export function defineSample<const F extends Fields>(
  name: string,
  fields: F,
  options?: SampleTypeOptions,
): SampleType<SampleOf<F>, SampleInput<F>> {
  const named = Object.entries(fields).map(([fieldName, given]): NamedField => {
    if (typeof given?.spec?.kind !== "string") {
      throw new TypeError(`Cannot define "${name}": "${fieldName}" must be a field, such as field.string()`);
    }
    return { name: fieldName, spec: given.spec, optional: given.optional };
  });
  return new SampleType(name, named, options);
}
