import type { FieldSpec } from "../schema/field.ts";
import type { NamedField } from "../schema/sample.ts";

/**
 * The text of a loop that reads samples whose fields stand in the order of their type, which is how every writer leaves them.
 * It stops at the first sample that is not so, or that is wrong in any way: the general reader then takes that one, and makes
 * the error. So nothing here explains anything; it only must never read a wrong sample as a right one.
 *
 * Names in the text: b bytes, v their DataView, p position, end of the sample, c a wire byte, n a length.
 */
class Template {
  #names = 0;

  name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  /** Sets `n` to the length of text or bytes; `fix` is the mask of short text, or none. */
  length(kind: "text" | "bytes"): string {
    const [one, two, four] = kind === "text" ? [0xd9, 0xda, 0xdb] : [0xc4, 0xc5, 0xc6];
    const short = kind === "text" ? "if ((c & 0xe0) === 0xa0) n = c & 31; else " : "";
    return `c = b[p++]; ${short}if (c === ${one}) n = b[p++];
      else if (c === ${two}) { n = (b[p] << 8) | b[p + 1]; p += 2; }
      else if (c === ${four}) { if (p + 4 > end) return i; n = v.getUint32(p); p += 4; } else return i;
      if (n > end - p) return i;`;
  }

  int(into: string, mode: "number" | "bigint" | "auto"): string {
    const small = (value: string) => `${into} = ${mode === "bigint" ? `BigInt(${value})` : value};`;
    const wide = (get: string) => {
      if (mode === "bigint") return `${into} = v.${get}(p);`;
      const asNumber = `${into} = Number(v.${get}(p)); if (!Number.isSafeInteger(${into}))`;
      return mode === "auto" ? `${asNumber} ${into} = v.${get}(p);` : `${asNumber} return i;`;
    };
    // BigInt() takes no undefined, which is what lies behind the last byte.
    const guard = mode === "bigint" ? "if (p + 3 > b.length) return i; " : "";
    return `${guard}c = b[p++]; if (c < 0x80) { ${small("c")} } else if (c >= 0xe0) { ${small("c - 256")} }
      else if (c === 0xcc) { ${small("b[p]")} p++; }
      else if (c === 0xcd) { ${small("(b[p] << 8) | b[p + 1]")} p += 2; }
      else if (c < 0xce || c > 0xd3 || p + 8 > b.length) return i;
      else if (c === 0xce) { ${small("v.getUint32(p)")} p += 4; }
      else if (c === 0xcf) { ${wide("getBigUint64")} p += 8; }
      else if (c === 0xd0) { ${small("v.getInt8(p)")} p++; }
      else if (c === 0xd1) { ${small("v.getInt16(p)")} p += 2; }
      else if (c === 0xd2) { ${small("v.getInt32(p)")} p += 4; }
      else { ${wide("getBigInt64")} p += 8; }`;
  }

  /** Reads one value into the variable `into`. */
  value(spec: FieldSpec, into: string, fieldIndex: number): string {
    switch (spec.kind) {
      case "string":
        return `${this.length("text")} ${into} = text(b, p, n); if (${into} === undefined) return i; p += n;`;
      case "int":
        return this.int(into, spec.mode);
      case "float":
        return `if (b[p] !== 0xcb || p + 9 > end) return i; ${into} = v.getFloat64(p + 1); p += 9;`;
      case "bool":
        return `c = b[p++]; if (c === 0xc3) ${into} = true; else if (c === 0xc2) ${into} = false; else return i;`;
      case "bytes":
        return `${this.length("bytes")} ${into} = b.slice(p, p + n); p += n;`;
      case "ndarray":
        return `${this.length("bytes")} ${into} = arrays[${fieldIndex}].read(b, p, p + n); if (${into} === undefined) return i; p += n;`;
      case "list": {
        // A list of anything is for the general reader.
        if (spec.items === undefined) return "return i;";
        const [list, count, item, at] = ["list", "count", "item", "k"].map((prefix) => this.name(prefix)) as [
          string,
          string,
          string,
          string,
        ];
        return `let ${count} = 0; c = b[p++]; if ((c & 0xf0) === 0x90) ${count} = c & 15;
          else if (c === 0xdc) { ${count} = (b[p] << 8) | b[p + 1]; p += 2; }
          else if (c === 0xdd) { if (p + 4 > end) return i; ${count} = v.getUint32(p); p += 4; } else return i;
          if (${count} > end - p) return i;
          const ${list} = new Array(${count}); let ${item};
          for (let ${at} = 0; ${at} < ${count}; ${at}++) { ${this.value(spec.items, item, fieldIndex)} ${list}[${at}] = ${item}; }
          ${into} = ${list};`;
      }
      case "dict":
        return `n = skip(b, v, p, end); if (n < 0) return i; ${into} = dicts[${fieldIndex}](b, v, p, n); if (${into} === undefined) return i; p = n;`;
    }
  }

  /** Passes over one value that nobody asked for. */
  skip(spec: FieldSpec): string {
    switch (spec.kind) {
      case "string":
        return `${this.length("text")} p += n;`;
      case "bytes":
      case "ndarray":
        return `${this.length("bytes")} p += n;`;
      case "float":
        return "if (b[p] !== 0xcb) return i; p += 9;";
      case "bool":
        return "c = b[p++]; if (c !== 0xc2 && c !== 0xc3) return i;";
      default:
        return "p = skip(b, v, p, end); if (p < 0) return i;";
    }
  }
}

function keyTest(name: string): string {
  const utf8 = new TextEncoder().encode(name);
  if (utf8.length > 31) return "return i;";
  const wire = [0xa0 | utf8.length, ...utf8];
  return `if (${wire.map((byte, i) => `b[p + ${i}] !== ${byte}`).join(" || ")}) return i; p += ${wire.length};`;
}

function loop(
  fields: readonly NamedField[],
  wanted: ReadonlySet<string>,
  store: (index: number, field: NamedField, template: Template) => string,
  finish: string,
): string {
  const template = new Template();
  const n = fields.length;
  const count = n < 16 ? `b[p++] !== ${0x80 | n}` : `b[p++] !== 0xde || b[p++] !== ${n >> 8} || b[p++] !== ${n & 255}`;
  let index = 0;
  const body = fields.map((field) => {
    const key = keyTest(field.name);
    if (!wanted.has(field.name)) {
      const skip = template.skip(field.spec);
      return `${key} ${field.optional ? `if (b[p] === 0xc0) p++; else { ${skip} }` : skip}`;
    }
    return `${key} ${store(index++, field, template)}`;
  });
  return `for (; i < to; i++, row++) {
    let p = starts[i], c = 0, n = 0; const end = ends[i];
    if (p < 0 || ${count}) return i;
    ${body.join("\n")}
    if (p > end) return i;
    ${finish}
  }
  return i;`;
}

/** `(b, v, starts, ends, i, to, row, data) => first sample not read`: fills columns from row `row` on. */
export function columnsTemplate(fields: readonly NamedField[], wanted: ReadonlySet<string>): string {
  const kept = fields.filter((field) => wanted.has(field.name));
  const store = (index: number, { spec, optional }: NamedField, template: Template): string => {
    if (!optional && spec.kind === "ndarray") {
      return `${template.length("bytes")} if (!col${index}.put(row, b, p, p + n)) return i; p += n;`;
    }
    const into = template.name("x");
    const value = template.value(spec, into, index);
    const set =
      spec.kind === "bool" && !optional ? `col${index}[row] = ${into} ? 1 : 0;` : `col${index}[row] = ${into};`;
    return `let ${into}; ${optional ? `if (b[p] === 0xc0) { p++; ${into} = null; } else { ${value} }` : value} ${set}`;
  };
  const names = kept.map((_, index) => `const col${index} = data[${index}];`).join(" ");
  return `return function readColumns(b, v, starts, ends, i, to, row, data) { ${names}\n${loop(fields, wanted, store, "")} };`;
}

/** `(b, v, starts, ends, i, to, samples) => first sample not read`: appends objects to `samples`. */
export function rowsTemplate(fields: readonly NamedField[], wanted: ReadonlySet<string>): string {
  const literal: string[] = [];
  const store = (index: number, { name, spec, optional }: NamedField, template: Template): string => {
    const into = template.name("x");
    // Only in brackets is __proto__ a field like any other; for all else they cost time.
    literal.push(`${name === "__proto__" ? '["__proto__"]' : JSON.stringify(name)}: ${into}`);
    const value = template.value(spec, into, index);
    return `let ${into}; ${optional ? `if (b[p] === 0xc0) { p++; ${into} = null; } else { ${value} }` : value}`;
  };
  const body = loop(fields, wanted, store, "samples.push({ @ });");
  return `return function readRows(b, v, starts, ends, i, to, samples) { let row = 0;\n${body.replace("@", () => literal.join(", "))} };`;
}
