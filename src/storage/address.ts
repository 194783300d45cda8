/** What kind of place an address names. */
export type Scheme = "file" | "http" | (string & {});

/**
 * The scheme of an address: `file` for a plain path, `http` for http and https, else as it is written. A colon alone
 * makes no scheme, for it may stand in a file's name; but `pipe:`, which means a command elsewhere, is never a file.
 */
export function schemeOf(address: string): Scheme {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/|^(file|pipe):/i.exec(address);
  const name = (scheme?.[1] ?? scheme?.[2] ?? "file").toLowerCase();
  return name === "https" ? "http" : name;
}

/**
 * An address as messages show it: a URL without user, password, fragment and the values of its query, where secrets live.
 *
 * @example
 * ```ts
 * shownAddress("https://me:pw@host/a.tar?sig=abc"); // "https://host/a.tar?sig=…"
 * ```
 */
export function shownAddress(address: string): string {
  const scheme = schemeOf(address);
  if (scheme === "file") return address;
  const [, start = "", path = "", query = ""] = /^([^/?#]*:(?:\/\/)?)([^?#]*)(\?[^#]*)?/.exec(address) ?? [];
  const slash = start.endsWith("//") ? path.indexOf("/") : 0;
  const host = slash < 0 ? path : path.slice(0, slash);
  const rest = slash < 0 ? "" : path.slice(slash);
  return start + host.slice(host.lastIndexOf("@") + 1) + rest + query.replace(/([?&][^=&]*=|[?&])[^&]+/g, "$1…");
}
