/**
 * Parses JSON as Python writes it: whole numbers beyond 2^53 become bigints, none is rounded, and the bare words `NaN`,
 * `Infinity` and `-Infinity`, which JSON does not have, are the numbers they name.
 *
 * @throws {SyntaxError} If the text is no such JSON.
 */
export function parseJson(text: string): unknown {
  // Only where digits could be lost does it pay to look at each number.
  const parse = (json: string): unknown => (/\d{16}/.test(json) ? JSON.parse(json, keepDigits) : JSON.parse(json));
  try {
    return parse(text);
  } catch (error) {
    if (!/\bNaN\b|\bInfinity\b/.test(text)) throw error;
    // Outside of strings, which are matched first, each word becomes a string that no other string can be.
    const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (found) =>
      found.startsWith('"') ? found : `"${MARK}${found}"`,
    );
    if (text.includes(MARK)) throw error;
    return JSON.parse(marked, (key, value: unknown, context?: Context) =>
      typeof value === "string" && value.startsWith(MARK)
        ? Number(value.slice(MARK.length))
        : keepDigits(key, value, context),
    );
  }
}

const MARK = "\u{f0000}number:";

interface Context {
  readonly source?: string;
}

function keepDigits(_key: string, value: unknown, context?: Context): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source } = context ?? {};
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
