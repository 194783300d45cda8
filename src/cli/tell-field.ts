import { canonicalOfSample } from "../codec/canonical.ts";
import type { FieldSpec } from "../schema/field.ts";
import { showShape, showText, showValue } from "./show.ts";
import type { FieldStatistics } from "./statistics.ts";

/** Texts and shapes that are named; of the rest there is only the number. */
const MOST_NAMED = 5;

/** Kind and statistics of a field, as two cells of a table. */
export function fieldLine(field: FieldStatistics, samples: number): [kind: string, statistics: string] {
  const { kinds, form, isGuess, min, max, nans, texts, forms, shortest, longest, nulls } = field;
  const isFloat = kinds.includes("float");
  const kind =
    form === undefined
      ? kinds.join(" or ") || "null"
      : `ndarray ${form.dtype ?? "of any dtype"} ${form.shape === null ? "" : showShape(form.shape)}`.trim();
  const missing = samples - field.count;
  const told: string[] = [];
  if (isGuess) told.push("a guess: it is stored as bytes");
  if (min !== undefined && max !== undefined) told.push(`${showValue(min, isFloat)} to ${showValue(max, isFloat)}`);
  if (nans > 0) told.push(`${nans} NaN`);
  if (kinds.includes("string"))
    told.push(texts === undefined ? "many different" : `${texts.size} different: ${namedTexts(texts)}`);
  else if (form === undefined && shortest !== undefined) {
    const unit = kinds.includes("list") ? "items" : "bytes";
    told.push(shortest === longest ? `${longest} ${unit}` : `${shortest} to ${longest} ${unit}`);
  }
  if (forms.size > 1 && form !== undefined) told.push(namedForms(forms));
  if (nulls > 0) told.push(`${nulls} null`);
  if (missing > 0) told.push(`missing in ${missing}`);
  return [`${kind}${nulls + missing > 0 ? ", optional" : ""}`, told.join("; ")];
}

/** The same for programs. Numbers are in canonical JSON, as floats may be infinite and integers large. */
export async function fieldJson(name: string, field: FieldStatistics, samples: number): Promise<unknown> {
  const { kinds, form, isGuess, min, max, nans, texts, forms, shortest, longest, nulls, count } = field;
  const spec: FieldSpec = kinds.includes("float") ? { kind: "float" } : { kind: "int", mode: "auto" };
  const spelled = (value: unknown) =>
    canonicalOfSample({ fields: [{ name: "value", spec, optional: true }] }, { value });
  return {
    name,
    kinds,
    nulls,
    missing: samples - count,
    ...(min !== undefined && { min: (await spelled(min)).value, max: (await spelled(max)).value, nans }),
    ...(kinds.includes("string") && { distinct: texts?.size ?? null }),
    ...(shortest !== undefined && form === undefined && { minLength: shortest, maxLength: longest }),
    ...(form !== undefined && { ...form, isGuess, shapes: Object.fromEntries(forms) }),
  };
}

function namedTexts(texts: ReadonlyMap<string, number>): string {
  const named = [...texts.keys()].slice(0, MOST_NAMED).map(showText);
  return named.join(", ") + (texts.size > named.length ? ", …" : "");
}

function namedForms(forms: ReadonlyMap<string, number>): string {
  const named = Array.from(forms, ([form, count]) => `${form} (${count})`).slice(0, MOST_NAMED);
  return named.join(", ") + (forms.size > named.length ? ", …" : "");
}
