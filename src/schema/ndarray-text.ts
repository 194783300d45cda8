import type { DType } from "./dtype.ts";
import { floatRepr } from "./float-repr.ts";
import { halfOfNumber, numberOfHalf } from "./float16.ts";
import { type Complex, readItem } from "./items.ts";
import type { NdArray } from "./ndarray.ts";

// numpy's print options as they are by default.
const LINE_WIDTH = 75;
const MOST_ITEMS = 1000;
const EDGE_ITEMS = 3;
const DIGITS = 8;

/** An array as `print` shows it in numpy: aligned columns, lines of 75 characters, only the edges of more than 1000 items. */
export function arrayText(array: NdArray): string {
  if (array.size === 0) return "[]";
  const summary = array.size > MOST_ITEMS;
  const strides = array.shape.map((_, axis) => array.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const shown = array.shape.map((length) =>
    summary && length > 2 * EDGE_ITEMS ? edges(length) : [...Array(length).keys()],
  );
  const items: unknown[] = [];
  const collect = (axis: number, at: number): void => {
    if (axis === array.ndim) items.push(readItem(array.dtype, array.data, at));
    else for (const index of shown[axis]!) if (index >= 0) collect(axis + 1, at + index * strides[axis]!);
  };
  collect(0, 0);
  const words = wordsOf(array.dtype, items, array.ndim === 0);
  let next = 0;
  const block = (axis: number, indent: string, width: number): string => {
    if (axis === array.ndim) return words[next++]!;
    const last = axis === array.ndim - 1;
    const parts = shown[axis]!.map((index) => (index < 0 ? "..." : block(axis + 1, `${indent} `, width - 1)));
    const text = last ? lines(parts, indent, width - 1) : parts.join(`${"\n".repeat(array.ndim - 1 - axis)}${indent}`);
    return `[${text}]`;
  };
  return block(0, " ", LINE_WIDTH);
}

/** The indices at both ends of an axis, with -1 for what is left out between them. */
function edges(length: number): number[] {
  const near = [...Array(EDGE_ITEMS).keys()];
  return [...near, -1, ...near.map((index) => length - EDGE_ITEMS + index)];
}

function lines(words: readonly string[], indent: string, width: number): string {
  let text = "";
  let line = indent;
  for (const [index, word] of words.entries()) {
    if (line.length + word.length > width && line.length > indent.length) {
      text += `${line.trimEnd()}\n`;
      line = indent;
    }
    line += index === words.length - 1 ? word : `${word} `;
  }
  return (text + line).slice(indent.length);
}

function wordsOf(dtype: DType, items: readonly unknown[], single: boolean): string[] {
  switch (typeof items[0]) {
    case "boolean":
      return items.map((item) => (item ? (single ? "True" : " True") : "False"));
    case "string":
      return single ? (items as string[]) : (items as string[]).map(quoted);
    case "number":
      if (/^u?int/.test(dtype)) return padded(items.map(String));
      return single ? [floatRepr(shortestOf(items[0], dtype))] : floatWords(dtype, items as number[], false);
    case "bigint":
      return padded(items.map((item) => (isNat(dtype, item) ? "NaT" : String(item))));
  }
  if (items[0] instanceof Uint8Array) return padded((items as Uint8Array[]).map((bytes) => `0x${hex(bytes)}`));
  const part = dtype === "complex64" ? "float32" : "float64";
  const re = floatWords(
    part,
    (items as Complex[]).map((item) => item.re),
    false,
  );
  const im = floatWords(
    part,
    (items as Complex[]).map((item) => item.im),
    true,
  );
  // The j stands right behind the digits, before the spaces that align them.
  return re.map((text, index) => text + im[index]!.replace(/\s*$/, (spaces) => `j${spaces}`));
}

const isNat = (dtype: DType, item: unknown): boolean => dtype.includes("e64") && item === -(2n ** 63n);
const quoted = (text: string): string => `'${text.replace(/[\\'\n\r\t]/g, (c) => JSON.stringify(c).slice(1, -1))}'`;
const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function padded(words: readonly string[]): string[] {
  const width = Math.max(...words.map((word) => word.length));
  return words.map((word) => word.padStart(width));
}

/** Decimal digits that every number of a dtype can hold; from 10 to their power on, numpy writes exponents. */
const PRECISION: { readonly [dtype in DType]?: number } = { float16: 3, float32: 6 };

function floatWords(dtype: DType, values: readonly number[], signed: boolean): string[] {
  const finite = values.filter(Number.isFinite);
  const sizes = finite.map(Math.abs).filter((size) => size > 0);
  const largest = Math.max(0, ...sizes);
  const smallest = Math.min(Infinity, ...sizes);
  const scientific =
    largest >= 10 ** (PRECISION[dtype] ?? DIGITS) ||
    smallest < nearest(1e-4, dtype) ||
    (sizes.length > 0 && largest / smallest > 1000);
  const parts = finite.map((value) => split(value, dtype, scientific, signed));
  const left = Math.max(0, ...parts.map(({ whole }) => whole.length));
  const right = Math.max(0, ...parts.map(({ fraction }) => fraction.length));
  const next = parts.values();
  const texts = values.map((value) => {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? (signed ? "+nan" : "nan") : `${sign(value, signed)}inf`;
    const { whole, fraction } = next.next().value!;
    if (!scientific) return `${whole.padStart(left)}.${fraction.padEnd(right)}`;
    const [digits, power] = Math.abs(value).toExponential(right).split("e") as [string, string];
    return `${sign(value, signed)}${right === 0 ? `${digits}.` : digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  });
  return padded(texts);
}

const sign = (value: number, signed: boolean): string => (value < 0 || Object.is(value, -0) ? "-" : signed ? "+" : "");

/** The shortest digits that tell a number from its neighbours of the same dtype, at most 8 of them behind the point. */
function split(value: number, dtype: DType, scientific: boolean, signed: boolean): { whole: string; fraction: string } {
  const shortest = Math.abs(shortestOf(value, dtype));
  let text = shortest.toFixed(DIGITS);
  if (scientific) {
    const [digits] = shortest.toExponential().split("e") as [string];
    text = digits.length <= DIGITS + 2 ? digits : shortest.toExponential(DIGITS).replace(/e.*/, "");
  }
  const [whole, fraction = ""] = text.split(".") as [string, string?];
  return { whole: sign(value, signed) + whole, fraction: fraction.replace(/0+$/, "") };
}

/** The number as a dtype of fewer bits keeps it. */
function nearest(value: number, dtype: DType): number {
  if (dtype === "float16") return numberOfHalf(halfOfNumber(value));
  return dtype === "float32" ? Math.fround(value) : value;
}

function shortestOf(value: number, dtype: DType): number {
  if (dtype === "float64" || !Number.isFinite(value)) return value;
  for (let digits = 1; digits < 17; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (nearest(shorter, dtype) === value) return shorter;
  }
  return value;
}
