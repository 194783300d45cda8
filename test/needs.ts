/**
 * What a test needs beyond this repository and its runtime. This is the only place that may skip a test, so that every
 * skip has a reason, `npm test` can list it, and a strict run (`CI=true`) can refuse it.
 *
 * @example A suite that runs Python
 * ```ts no-run
 * const { describe } = needs.python();
 * describe("shards for Python", () => {
 *   it("are read by webdataset", async () => expect(await readWithPython(folder)).toEqual(...));
 * });
 * ```
 */
import * as vitest from "vitest";
import { pythonEnvironment } from "./interop/environment.ts";

declare module "vitest" {
  interface TaskMeta {
    /** Why the test was skipped. */
    needs?: string;
  }
}

export type RuntimeName = "node" | "deno" | "bun";

/** The runtime that runs this test. */
export const runtime: RuntimeName = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

/** `describe` and `it` as far as they can be skipped; inside of a `describe`, vitest's own `it` has everything else. */
export interface Needs {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => unknown, timeoutMs?: number): void;
}

const strict = ["1", "true"].includes(process.env.CI ?? "");

const met: Needs = {
  describe: (name, body) => void vitest.describe(name, body),
  it: (name, body, timeoutMs) => void vitest.it(name, body as () => void, timeoutMs),
};

/** Skips; when `refused`, a failing test stands beside each skip. */
function unmet(reason: string, refused: boolean): Needs {
  const options = { skip: true, meta: { needs: reason } };
  const refuse = (name: string): void => {
    if (refused) vitest.it(`${name}: what it needs is there`, () => Promise.reject(new Error(reason)));
  };
  return {
    describe(name, body) {
      refuse(name);
      vitest.describe(name, options, body);
    },
    it(name, body) {
      refuse(name);
      vitest.it(name, options, body as () => void);
    },
  };
}

export const needs = {
  /** Runs only there. For what is the same program on every runtime (tools, child processes), or what one cannot do. */
  runtime(names: RuntimeName | readonly RuntimeName[], reason: string): Needs {
    const list = [names].flat();
    return list.includes(runtime) ? met : unmet(`runs on ${list.join(" and ")} only: ${reason}`, false);
  },

  /**
   * Python 3.12 with atdata and webdataset, which `npm test` sets up where it finds Python 3.12. On Node only: bytes are
   * the same on the three runtimes, which the golden fixtures show, and each start of Python takes seconds.
   */
  python(): Needs {
    if (runtime !== "node")
      return needs.runtime("node", "it starts Python, which reads the same bytes whoever wrote them");
    const { python, reason } = pythonEnvironment();
    return python !== undefined ? met : unmet(`needs Python: ${reason}`, strict);
  },

  /** A server that a test file tried to start: `reason` is why it could not, undefined when it is there. */
  server(name: string, reason: string | undefined): Needs {
    return reason === undefined ? met : unmet(`needs ${name}: ${reason}`, strict);
  },
};
