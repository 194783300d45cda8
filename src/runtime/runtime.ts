import { PipelineError } from "../errors.ts";

/** The built-in modules that shardstream uses, by their name without `node:`. */
export interface Builtins {
  readonly child_process: typeof import("node:child_process");
  readonly crypto: typeof import("node:crypto");
  readonly fs: typeof import("node:fs");
  readonly "fs/promises": typeof import("node:fs/promises");
  readonly os: typeof import("node:os");
  readonly path: typeof import("node:path");
  readonly process: typeof import("node:process");
  readonly url: typeof import("node:url");
  readonly v8: typeof import("node:v8");
  readonly vm: typeof import("node:vm");
  readonly worker_threads: typeof import("node:worker_threads");
  readonly zlib: typeof import("node:zlib");
}

/** Where this code runs. Deno and Bun have a `process` too, so they are asked for first. */
export const runtimeName: "node" | "deno" | "bun" | "browser" =
  "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : loader() === undefined ? "browser" : "node";

/**
 * A built-in module of Node, Deno or Bun. It is asked for when it is needed and never imported by name, so that a
 * bundle for a browser holds no trace of it.
 *
 * @throws {PipelineError} `UNSUPPORTED` where there are no such modules.
 * @example
 * ```ts
 * const { availableParallelism } = builtin("os");
 * ```
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const found = loader()?.(`node:${name}`);
  if (found !== undefined) return found as unknown as Builtins[Name];
  const hint = "run this part on Node 22.18 or later, Deno 2 or Bun 1; a browser reads http(s) addresses and streams";
  throw new PipelineError("UNSUPPORTED", `Cannot load "node:${name}": this runtime has no such module`, { hint });
}

/** Whether {@link builtin} would find the module. */
export function hasBuiltin(name: keyof Builtins): boolean {
  return loader()?.(`node:${name}`) !== undefined;
}

/** A variable of the environment; undefined where it is not set, or may not be read. */
export function environment(name: string): string | undefined {
  try {
    return globalThis.process?.env?.[name];
  } catch {
    return undefined; // Deno without --allow-env
  }
}

function loader(): ((id: string) => object | undefined) | undefined {
  const get = globalThis.process?.getBuiltinModule;
  return typeof get === "function" ? (get as (id: string) => object | undefined) : undefined;
}
