import { arrayHeader } from "../codec/array.ts";
import { NdArray } from "../index.ts";
import type { DType } from "../schema/dtype.ts";

export type Kind = "null" | "bool" | "int" | "float" | "string" | "bytes" | "list" | "map" | "ndarray";

/** dtype and shape of arrays; `null` for what differs. */
export interface ArrayForm {
  readonly dtype: DType | null;
  /** `null` as a whole: the number of axes differs. */
  readonly shape: readonly (number | null)[] | null;
}

/** Different texts and shapes that are counted one by one. */
const MOST_TEXTS = 1000;
const MOST_SHAPES = 20;

/** What the samples of a dataset hold in one field. */
export class FieldStatistics {
  readonly #kinds = new Map<Kind, number>();
  #bytes = 0;
  #arraysInBytes = 0;
  #form: ArrayForm | undefined;
  /** Kinds of what is in its lists. */
  readonly itemKinds: Set<Kind> = new Set();
  count = 0;
  /** Of the numbers; NaN is only counted. */
  min: number | bigint | undefined;
  max: number | bigint | undefined;
  nans = 0;
  /** How often each text is there; undefined when there are too many. */
  texts: Map<string, number> | undefined = new Map();
  /** How often each dtype and shape is there. */
  readonly forms: Map<string, number> = new Map();
  /** Length of texts, bytes and lists. */
  shortest: number | undefined;
  longest = 0;

  /** Takes in a value, and how it was stored. */
  add(value: unknown, kind: Kind): void {
    this.count++;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    if (typeof value === "number" || typeof value === "bigint") this.#addNumber(value);
    else if (typeof value === "string") this.#addText(value);
    else if (value instanceof NdArray) this.#addForm(value);
    else if (value instanceof Uint8Array) this.#addBytes(value);
    else if (Array.isArray(value)) {
      for (const item of value) this.itemKinds.add(kindOf(item));
      this.#addLength(value.length);
    }
  }

  /** How the field is stored, nulls left out. Bytes that all can be read as arrays count as arrays. */
  get kinds(): Kind[] {
    const stored = [...this.#kinds.keys()].filter((kind) => kind !== "null");
    return this.isGuess ? [...new Set(stored.map((kind) => (kind === "bytes" ? "ndarray" : kind)))] : stored;
  }

  /** They were bytes, and nothing but their look says that they are arrays. */
  get isGuess(): boolean {
    return this.#bytes > 0 && this.#arraysInBytes === this.#bytes;
  }

  get nulls(): number {
    return this.#kinds.get("null") ?? 0;
  }

  /** What all its arrays have in common. */
  get form(): ArrayForm | undefined {
    return this.kinds.includes("ndarray") ? this.#form : undefined;
  }

  #addNumber(value: number | bigint): void {
    if (Number.isNaN(value)) this.nans++;
    else {
      if (this.min === undefined || value < this.min) this.min = value;
      if (this.max === undefined || value > this.max) this.max = value;
    }
  }

  #addText(text: string): void {
    this.#addLength(text.length);
    this.texts?.set(text, (this.texts.get(text) ?? 0) + 1);
    if ((this.texts?.size ?? 0) > MOST_TEXTS) this.texts = undefined;
  }

  #addBytes(bytes: Uint8Array): void {
    this.#addLength(bytes.length);
    const couldBe = this.#arraysInBytes === this.#bytes++; // of one that is no array the rest need not be looked at
    if (!couldBe) return;
    try {
      this.#addForm(arrayHeader(bytes, 0, bytes.length));
      this.#arraysInBytes++;
    } catch {
      this.forms.clear();
    }
  }

  #addForm({ dtype, shape }: { readonly dtype: DType; readonly shape: readonly number[] }): void {
    const name = `${dtype} [${shape.join(", ")}]`;
    if (this.forms.has(name) || this.forms.size < MOST_SHAPES) this.forms.set(name, (this.forms.get(name) ?? 0) + 1);
    const known = this.#form ?? { dtype, shape };
    this.#form = {
      dtype: known.dtype === dtype ? dtype : null,
      shape:
        known.shape?.length === shape.length
          ? known.shape.map((length, axis) => (length === shape[axis] ? length : null))
          : null,
    };
  }

  #addLength(length: number): void {
    this.shortest = Math.min(this.shortest ?? length, length);
    this.longest = Math.max(this.longest, length);
  }
}

/** What kind of value it is, as far as it can be told without its bytes. */
export function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isSafeInteger(value) ? "int" : "float";
  if (typeof value === "bigint") return "int";
  if (typeof value === "string") return "string";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof NdArray) return "ndarray";
  return Array.isArray(value) ? "list" : "map";
}
