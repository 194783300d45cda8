/** One code block of the documentation that is to be compiled, as a module of its own. */
export interface DocExample {
  /** File and line of its first line of code, for people. */
  readonly name: string;
  /** Blocks marked `ts no-run` are compiled only: they need a server, or something else that is not there. */
  readonly runs: boolean;
  readonly code: string;
  /** The line that `code` starts at. */
  readonly line: number;
}

/** The blocks fenced by ```ts: anywhere in Markdown, in docstrings of TypeScript. */
export function docExamples(path: string, text: string): DocExample[] {
  const strip = (line: string) => (path.endsWith(".md") ? line : (/^ *\* ?(.*)$/.exec(line)?.[1] ?? ""));
  const found: DocExample[] = [];
  const lines = text.split("\n").map(strip);
  for (let i = 0; i < lines.length; i++) {
    const opening = /^```ts( no-run)?$/.exec(lines[i]!);
    if (opening === null) continue;
    const end = lines.indexOf("```", i);
    if (end < 0) throw new Error(`${path}:${i + 1} opens a block that nothing closes`);
    const code = lines.slice(i + 1, end);
    found.push({ name: `${path}:${i + 2}`, runs: opening[1] === undefined, code: code.join("\n"), line: i + 2 });
    i = end;
  }
  return found;
}

/** Names that a module exports, with whether each is only a type. Re-exports by `*` are not followed. */
export function exportsOf(code: string): Map<string, "type" | "value"> {
  const names = new Map<string, "type" | "value">();
  const add = (name: string, type: boolean) => names.set(name, type && names.get(name) !== "value" ? "type" : "value");
  const declaration =
    /^export (?:declare |abstract |async )*(function\*?|class|const|let|enum|interface|type) ([A-Za-z_$][\w$]*)/gm;
  for (const [, kind, name] of code.matchAll(declaration)) add(name!, kind === "type" || kind === "interface");
  for (const [, type, list] of code.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const item of list!.split(",").map((text) => text.trim())) {
      const name = /(\S+)$/.exec(item)?.[1];
      if (name !== undefined) add(name, type !== undefined || item.startsWith("type "));
    }
  }
  return names;
}

/**
 * The example as a module, its code at the line where it stands in the documentation, so that messages name that line.
 * A name that it uses and does not declare comes from the first of `modules` (path and text) that exports it.
 */
export function asModule(
  { code, line }: DocExample,
  modules: readonly { readonly path: string; readonly text: string }[],
  packageEntries: Readonly<Record<string, string>>,
): string {
  const own = new Set<string>();
  for (const [, name] of code.matchAll(/\b(?:const|let|var|function\*?|class|type|interface)\s+([A-Za-z_$][\w$]*)/g)) {
    own.add(name!);
  }
  for (const [, list] of code.matchAll(/^import\s+([^"']*)\bfrom\b/gm)) {
    for (const [name] of list!.matchAll(/[A-Za-z_$][\w$]*/g)) own.add(name);
  }
  const imports: string[] = [];
  const used = new Set(code.match(/[A-Za-z_$][\w$]*/g));
  for (const { path, text } of modules) {
    const names: string[] = [];
    for (const [name, kind] of exportsOf(text)) {
      if (!used.has(name) || own.has(name)) continue;
      own.add(name);
      names.push(kind === "type" ? `type ${name}` : name);
    }
    if (names.length > 0) imports.push(`import { ${names.join(", ")} } from ${JSON.stringify(path)};`);
  }
  const body = code.replace(/(from\s*|import\()"(shardstream(?:\/[\w-]+)?)"/g, (whole, start, specifier) => {
    const entry = packageEntries[specifier.replace("shardstream", ".")];
    return entry === undefined ? whole : `${start}${JSON.stringify(entry)}`;
  });
  return `${imports.join(" ")} export {};${"\n".repeat(line - 1)}${body}\n`;
}
