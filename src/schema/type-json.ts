import { type AnySampleType, type NamedField, SampleType } from "./sample.ts";

/** A sample type as plain data. Unlike its record it keeps all: modes of whole numbers, arrays of any dtype. */
export interface SampleTypeJson {
  readonly [key: string]: string | null | readonly NamedFieldJson[];
  readonly name: string;
  readonly version: string;
  readonly description: string | null;
  readonly fields: readonly NamedFieldJson[];
}
type NamedFieldJson = { readonly [key: string]: PlainData };
type PlainData = null | boolean | number | string | readonly PlainData[] | { readonly [key: string]: PlainData };

export function typeToJson({ name, version, description, fields }: AnySampleType): SampleTypeJson {
  return JSON.parse(JSON.stringify({ name, version, description, fields })) as SampleTypeJson;
}

export function typeFromJson({ name, version, description, fields }: SampleTypeJson): SampleType {
  const named = fields as readonly unknown[] as readonly NamedField[];
  return new SampleType(name, named, { version, ...(description === null ? {} : { description }) });
}
