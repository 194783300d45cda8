/**
 * `Float16Array` where the runtime has it; else (Node 22) half-precision floats are kept as their 16 bits in a
 * `Uint16Array`, and {@link numberOfHalf} and {@link halfOfNumber} translate.
 */
export const HalfArray: Float16ArrayConstructor | Uint16ArrayConstructor =
  typeof Float16Array === "undefined" ? Uint16Array : Float16Array;

/** The number that 16 bits of IEEE 754 binary16 stand for. */
export function numberOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const scratch = new DataView(new ArrayBuffer(8));

/** The 16 bits of the half nearest to a number, ties to even, as `Float16Array` stores it. */
export function halfOfNumber(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00; // half way from the largest half to 2^16 rounds to infinity
  scratch.setFloat64(0, size);
  const exponent = Math.max((scratch.getUint16(0) >> 4) - 1023, -14);
  const units = size / 2 ** (exponent - 10);
  const rounded = units + 2 ** 52 - 2 ** 52; // a double has no room for less than 1 beside 2^52: nearest, ties to even
  // Normal halves have 1024 as their hidden bit; a carry out of the fraction raises the exponent by itself.
  return sign | (((exponent + 14) << 10) + rounded);
}
