import { PipelineError } from "../errors.ts";
import { type ArrayData, type ByteOrder, type DataOf, type DType, layoutOf } from "./dtype.ts";
import { type ItemOf, readItem, writeItem } from "./items.ts";
import { arrayText } from "./ndarray-text.ts";

/** The items of an array as lists in lists: one level for each axis. */
export type Nested<T> = T | Nested<T>[];

/**
 * An n-dimensional array: a typed array with a shape, in C order (the last axis runs fastest). It holds data and hands it on;
 * it does not calculate. Views share their memory with the array they come from.
 *
 * @example
 * ```ts
 * const pixels = new NdArray("uint8", [2, 3], new Uint8Array([1, 2, 3, 4, 5, 6]));
 * pixels.at(1, -1); // 6
 * pixels.row(0).data; // Uint8Array [1, 2, 3]
 * ```
 */
export class NdArray<out D extends DType = DType> {
  readonly dtype: D;
  /** Length of each axis; `[]` for a single item. */
  readonly shape: readonly number[];
  /** The items, in the byte order of the machine: see {@link DataOf}. */
  readonly data: DataOf<D>;
  /** The order in which a shard holds, or will hold, the items; `data` does not depend on it. */
  readonly byteOrder: ByteOrder;
  /** Number of items. */
  readonly size: number;

  /**
   * @param byteOrder Order to write the items in. @default "<", or "|" for items that have no order
   * @throws {TypeError} If `data` is not the typed array of the dtype.
   * @throws {RangeError} If `data` has not as many items as the shape asks for.
   */
  constructor(dtype: D, shape: readonly number[], data: DataOf<D>, byteOrder?: ByteOrder) {
    const layout = layoutOf(dtype);
    if (!(data instanceof layout.Data)) {
      const given = (data as object | undefined)?.constructor?.name ?? typeof data;
      throw new TypeError(`Cannot make an array of ${dtype}: its data must be ${layout.Data.name}, not ${given}`);
    }
    const size = sizeOf(shape);
    if (data.length !== size * layout.width) {
      const have = data.length / layout.width;
      throw new RangeError(
        `Cannot make an array of shape ${shapeText(shape)}: it has ${size} items, and the data ${have}`,
      );
    }
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
    this.size = size;
    this.byteOrder = byteOrder ?? (layout.unit === 1 ? "|" : "<");
    if ((layout.unit === 1) !== (this.byteOrder === "|")) {
      throw new TypeError(`Cannot make an array of ${dtype}: its byte order cannot be "${byteOrder}"`);
    }
  }

  /** An array of zeros. */
  static empty<D extends DType>(dtype: D, shape: readonly number[], byteOrder?: ByteOrder): NdArray<D> {
    const { Data, bytes, width } = layoutOf(dtype);
    const size = sizeOf(shape);
    return new NdArray(dtype, shape, new Data(new ArrayBuffer(size * bytes), 0, size * width) as DataOf<D>, byteOrder);
  }

  /**
   * An array of the items in nested lists.
   *
   * @example
   * ```ts
   * NdArray.from([[1, 2], [3, 4]], "float32").shape; // [2, 2]
   * ```
   * @throws {TypeError} If an item is not of the dtype.
   * @throws {RangeError} If an item does not fit it, or if lists side by side differ in length.
   */
  static from<D extends DType>(items: Nested<ItemOf<D>>, dtype: D): NdArray<D> {
    const shape: number[] = [];
    for (let level: unknown = items; Array.isArray(level); level = level[0]) shape.push(level.length);
    const array = NdArray.empty(dtype, shape);
    let next = 0;
    const fill = (level: unknown, axis: number): void => {
      if (axis === shape.length) {
        writeItem(dtype, array.data, next++, level);
      } else if (!Array.isArray(level) || level.length !== shape[axis]) {
        throw new RangeError(`Cannot make an array: the lists at depth ${axis} must all hold ${shape[axis]} values`);
      } else {
        for (const inner of level) fill(inner, axis + 1);
      }
    };
    fill(items, 0);
    return array;
  }

  /**
   * Arrays of one dtype and shape `[...s]`, on a new first axis: `[n, ...s]`.
   *
   * @throws {PipelineError} `RAGGED` if they differ, naming the two.
   * @throws {TypeError} If there are none, as the shape would be unknown.
   */
  static stack<D extends DType>(arrays: readonly NdArray<D>[]): NdArray<D> {
    const [first] = arrays;
    if (first === undefined) throw new TypeError("Cannot stack arrays: there are none");
    const stacked = NdArray.empty(first.dtype, [arrays.length, ...first.shape], first.byteOrder);
    const into: { set(items: ArrayData, at: number): void } = stacked.data as never;
    for (const [index, array] of arrays.entries()) {
      if (array.dtype !== first.dtype || shapeText(array.shape) !== shapeText(first.shape))
        throw ragged(first, array, index);
      into.set(array.data, index * first.data.length);
    }
    return stacked;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Length of the first axis. @throws {TypeError} If the array is a single item. */
  get length(): number {
    const [length] = this.shape;
    if (length === undefined)
      throw new TypeError("Cannot give the length of an array: it is a single item, without axes");
    return length;
  }

  /** Elements of {@link data} for one item: 2 for complex numbers, the bytes of an item for raw dtypes, else 1. */
  get width(): number {
    return layoutOf(this.dtype).width;
  }

  /**
   * One item. Indices count from 0, negative ones from the end.
   *
   * @throws {RangeError} If there are not as many indices as axes, or one is outside of its axis.
   */
  at(...indices: readonly number[]): ItemOf<D> {
    if (indices.length !== this.ndim) {
      throw new RangeError(
        `Cannot give an item: ${indices.length} indices for an array of shape ${shapeText(this.shape)}`,
      );
    }
    let flat = 0;
    for (let axis = 0; axis < indices.length; axis++) {
      flat = flat * this.shape[axis]! + this.#index(indices[axis]!, axis);
    }
    return readItem(this.dtype, this.data, flat) as ItemOf<D>;
  }

  /** What stands at `index` of the first axis: a view of one axis less. @throws {RangeError} If the index is outside. */
  row(index: number): NdArray<D> {
    const elements = this.data.length / (this.length || 1);
    const from = this.#index(index, 0) * elements;
    return new NdArray(
      this.dtype,
      this.shape.slice(1),
      this.data.subarray(from, from + elements) as DataOf<D>,
      this.byteOrder,
    );
  }

  #index(index: number, axis: number): number {
    const length = this.shape[axis]!;
    const positive = index < 0 ? index + length : index;
    if (Number.isInteger(positive) && positive >= 0 && positive < length) return positive;
    throw new RangeError(`Cannot give index ${index} of axis ${axis}: it has the length ${length}`);
  }

  /**
   * The same items in another shape: a view. One length may be -1: what the others leave.
   *
   * @throws {RangeError} If the shape has another number of items.
   */
  reshape(...shape: readonly number[]): NdArray<D> {
    const free = shape.indexOf(-1);
    if (free >= 0) {
      const others = sizeOf(shape.toSpliced(free, 1));
      shape = shape.with(free, others === 0 ? 0 : Math.floor(this.size / others));
    }
    return new NdArray(this.dtype, shape, this.data, this.byteOrder);
  }

  /** The items as lists in lists, one level for each axis; of an array without axes its item. */
  toNestedArray(): Nested<ItemOf<D>> {
    const level = (axis: number, from: number, size: number): Nested<ItemOf<D>> => {
      if (axis === this.ndim) return readItem(this.dtype, this.data, from) as ItemOf<D>;
      const length = this.shape[axis]!;
      const inner = size / (length || 1);
      return Array.from({ length }, (_, index) => level(axis + 1, from + index * inner, inner));
    };
    return level(0, 0, this.size);
  }

  /** Whether dtype, shape and every bit of the items are equal, so that NaN equals NaN. Byte order does not count. */
  equals(other: NdArray): boolean {
    if (this.dtype !== other.dtype || shapeText(this.shape) !== shapeText(other.shape)) return false;
    const mine = bytesOf(this.data);
    const theirs = bytesOf(other.data);
    return mine.every((byte, index) => byte === theirs[index]);
  }

  /** The items as numpy prints them; of more than 1000 only the edges. */
  toString(): string {
    return arrayText(this);
  }
}

/** The shape as text: `[2, 3]`. */
export function shapeText(shape: readonly (number | null)[]): string {
  return `[${shape.map((length) => length ?? "any").join(", ")}]`;
}

function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`Cannot make an array of shape ${shapeText(shape)}: a length must be a whole number >= 0`);
    }
    size *= length;
  }
  return size;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function ragged(first: NdArray, other: NdArray, index: number): PipelineError {
  const [a, b] = [first, other].map(({ dtype, shape }) => `${dtype} ${shapeText(shape)}`);
  return new PipelineError("RAGGED", `Cannot stack arrays: array 0 is ${a}, array ${index} is ${b}`, {
    hint: "bring them to one dtype and shape, or keep them as a list",
  });
}
