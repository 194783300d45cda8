import { PipelineError } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Json } from "./operator.ts";

/** How a run that is saved on its way is passed to a sink. */
export interface SaveOptions {
  /**
   * A file for the checkpoint, written together with the output. Where it is there when the run begins, the run goes on from
   * it, and the sink cuts what it wrote behind it. It is removed when all is written. @default none
   */
  readonly checkpoint?: string | undefined;
  /** Milliseconds between two checkpoints, at least: more is written again after a kill. @default 1000 */
  readonly checkpointEveryMs?: number | undefined;
}

interface SavedFile {
  readonly version: 1;
  readonly checkpoint: Checkpoint;
  readonly sink: Json;
}

/** The file that holds where a run and its sink are. It changes in one step, so that the two always belong together. */
export class SavedRun {
  readonly checkpoint: Checkpoint | undefined;
  /** What the sink wants to know. */
  readonly sink: Json | undefined;
  readonly #path: string;
  readonly #everyMs: number;
  #last = performance.now();

  private constructor(path: string, everyMs: number, saved: SavedFile | undefined) {
    this.#path = path;
    this.#everyMs = everyMs;
    this.checkpoint = saved?.checkpoint;
    this.sink = saved?.sink;
  }

  /** @throws {PipelineError} `CHECKPOINT_MISMATCH` if the file is something else. */
  static async open(path: string, everyMs = 1000): Promise<SavedRun> {
    if (!(everyMs >= 0))
      throw new RangeError(`Cannot keep a checkpoint: checkpointEveryMs must be a number >= 0, not ${everyMs}`);
    let text: string;
    try {
      text = await builtin("fs/promises").readFile(path, "utf8");
    } catch (cause) {
      if ((cause as { code?: string }).code === "ENOENT") return new SavedRun(path, everyMs, undefined);
      throw new PipelineError("CHECKPOINT_MISMATCH", `Cannot read "${path}": ${(cause as Error).message}`, {
        url: path,
        cause,
      });
    }
    const saved = parsed(text);
    if (saved?.version === 1 && typeof saved.checkpoint === "object") return new SavedRun(path, everyMs, saved);
    throw new PipelineError(
      "CHECKPOINT_MISMATCH",
      `Cannot resume: "${path}" is no checkpoint of a run and its output`,
      {
        url: path,
        hint: "name another file, or remove this one to start anew",
      },
    );
  }

  isDue(): boolean {
    return performance.now() - this.#last >= this.#everyMs;
  }

  async write(checkpoint: Checkpoint, sink: Json): Promise<void> {
    const { open, rename } = builtin("fs/promises");
    const saved: SavedFile = { version: 1, checkpoint, sink };
    const file = await open(`${this.#path}.partial`, "w");
    try {
      await file.writeFile(JSON.stringify(saved));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${this.#path}.partial`, this.#path);
    this.#last = performance.now();
  }

  async remove(): Promise<void> {
    const { rm } = builtin("fs/promises");
    await Promise.all([rm(this.#path, { force: true }), rm(`${this.#path}.partial`, { force: true })]);
  }
}

function parsed(text: string): SavedFile | undefined {
  try {
    return JSON.parse(text) as SavedFile;
  } catch {
    return undefined;
  }
}
