import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pythonEnvironment } from "./environment.ts";

/** A value in canonical JSON, as `canon.py` spells it. */
export type Spelled = null | boolean | number | string | readonly Spelled[] | { readonly [tag: string]: unknown };
export type SpelledFields = Readonly<Record<string, Spelled>>;

/** What a Python package reads from a shard: all samples up to the error, if there is one. */
export interface PythonRead<S> {
  readonly samples: readonly S[];
  readonly error: string | null;
}

export interface PythonShard {
  readonly webdataset: PythonRead<{ readonly key: string; readonly fields: SpelledFields }>;
  readonly atdata: PythonRead<SpelledFields>;
}

/** What Python writes; the keywords are those of `atdata.write_samples` and `webdataset.TarWriter`. */
export type PythonWrite =
  | {
      readonly with: "atdata";
      readonly samples: readonly SpelledFields[];
      /** A local schema record; without one the samples are DictSamples. */
      readonly schema?: object;
      /** @default "data.tar" */
      readonly path?: string;
      readonly maxcount?: number;
      readonly maxsize?: number;
      readonly manifest?: boolean;
    }
  | {
      readonly with: "webdataset";
      /** `__key__`, and a value per file extension. */
      readonly samples: readonly SpelledFields[];
      /** @default "data.tar" */
      readonly path?: string;
      readonly mtime?: number;
      readonly compress?: boolean;
    };

/** Reads every shard of a folder with webdataset and atdata, by file name. One call for many shards: Python starts slowly. */
export function readWithPython(folder: string, schema?: object): Promise<Record<string, PythonShard>> {
  return ask({ do: "read", folder, schema }) as Promise<Record<string, PythonShard>>;
}

/** Writes shards with atdata or webdataset into an existing folder; the names of all files in it. */
export function writeWithPython(folder: string, write: PythonWrite): Promise<string[]> {
  return ask({ do: "write", folder, ...write }) as Promise<string[]>;
}

function ask(request: object): Promise<unknown> {
  const { python, reason } = pythonEnvironment();
  if (python === undefined) throw new Error(`Cannot start Python: ${reason}`); // needs.python() keeps tests from here
  const bridge = fileURLToPath(new URL("./bridge.py", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = execFile(python, ["-B", bridge], { maxBuffer: 2 ** 30 }, (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout));
      else reject(error);
    });
    child.stdin!.end(JSON.stringify(request));
  });
}
