const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * Bytes from a number of them, or from text such as `"256MB"` or `"1.5 GiB"`.
 *
 * @throws {TypeError} If it is neither.
 */
export function parseByteSize(option: string, size: string | number): number {
  const [, digits, unit] = typeof size === "string" ? (/^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(size) ?? []) : [];
  const bytes = typeof size === "number" ? size : Math.floor(Number(digits) * (UNITS[unit ?? ""] ?? Number.NaN));
  if (Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
  throw new TypeError(
    `Cannot run: ${option} must be a whole number of bytes, or text such as "256MB" or "1GiB", not ${JSON.stringify(size)}`,
  );
}

/** For people: three digits and a unit of thousands. */
export function showByteSize(bytes: number): string {
  let unit = "B";
  for (const larger of ["KB", "MB", "GB", "TB"]) {
    if (bytes < 999.5) break;
    bytes /= 1000;
    unit = larger;
  }
  return `${Number(bytes.toPrecision(3))} ${unit}`;
}
