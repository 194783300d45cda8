import { misuse, PipelineError } from "../errors.ts";
import { isPlainObject } from "../schema/plain.ts";
import type { SampleTypeOf } from "../schema/sample.ts";
import type { Json, Stage } from "./operator.ts";
import type { SampleInfo } from "./rows.ts";

/** What a task does with one sample. */
export type TaskFunction<in I, out O> = (sample: I, info: SampleInfo) => O;

/** What a task's setup may give in place of a function: something to be freed when the run ends. */
export interface OpenTask<in I, out O> {
  readonly run: TaskFunction<I, O>;
  [Symbol.asyncDispose]?(): PromiseLike<void>;
}

/** Where a task is found: plain data, so that a thread or another machine can find it too. */
export type TaskAddress = {
  readonly module: string;
  readonly name: string;
  readonly options: Json;
};

/** What `map`, `filter` and `flatMap` take: a function, which stays on the calling thread, or a task. */
export type Work<I, O> = TaskFunction<I, O> | Task<I, O>;

type ItemOf<O> = O extends string ? never : O extends Iterable<infer X> | AsyncIterable<infer X> ? X : never;
/** What a task gives for one sample: its result, or the items of it in a `flatMap`. */
export type ResultOf<O> = Awaited<O> | ItemOf<Awaited<O>>;

export interface TaskOptions<out O> {
  /**
   * The type of the results (in a `flatMap`: of the items). They are checked against it, cross from thread to thread packed
   * rather than cloned, and a writer behind needs no other type. @default none
   */
  readonly output?: SampleTypeOf<ResultOf<O>> | undefined;
}

/** Makes tasks of one definition, each with options of its own. */
export type TaskFactory<Options, I, O> = (
  ...args: [unknown] extends [Options] ? [] : Record<never, never> extends Options ? [options?: Options] : [Options]
) => Task<I, O>;

type Setup = (options: never) => unknown;

/** Work on samples that can be done elsewhere, as module, export and options say what it is. Made with {@link defineTask}. */
export class Task<in I = never, out O = unknown> {
  /** Not by its class: a thread may have loaded this module twice. */
  readonly "~task" = true as const;
  readonly address: TaskAddress;
  /** The type of the results, where it was given. */
  readonly output: SampleTypeOf<ResultOf<O>> | undefined;
  /** Only a type: what it does. */
  readonly "~work"?: (sample: I) => O;
  readonly #setup: Setup;

  constructor(address: TaskAddress, setup: Setup, { output }: TaskOptions<O>) {
    this.address = address;
    this.output = output;
    this.#setup = setup;
  }

  /** Sets the task up. */
  async open(): Promise<OpenTask<I, O>> {
    const { name, options } = this.address;
    try {
      const made = (await this.#setup(options as never)) as TaskFunction<I, O> | OpenTask<I, O>;
      if (typeof made === "function") return { run: made };
      if (typeof made?.run === "function") return made;
    } catch (cause) {
      if (cause instanceof PipelineError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new PipelineError("STAGE_FAILED", `Cannot set up task "${name}": ${reason}`, { stage: name, cause });
    }
    throw misuse(
      new TypeError(`Cannot set up task "${name}": it must give a function, or an object with a function "run"`),
    );
  }
}

/** Whether something is a task. */
export function isTask(value: unknown): value is Task {
  return typeof value === "object" && value !== null && "~task" in value;
}

/** Tells a task from a function. */
export function taskOf<I, O>(operator: string, work: Work<I, O>): Task<unknown, O> | undefined {
  if (isTask(work)) return work as Task<unknown, O>;
  if (typeof work === "function") {
    if (!("~task" in work)) return undefined;
    throw misuse(
      new TypeError(`Cannot ${operator}: this makes tasks, and is none; call it: ${String(work["~task"])}(options)`),
    );
  }
  throw misuse(new TypeError(`Cannot ${operator}: give it a function or a task, not ${typeof work}`));
}

/** What tells a task apart in a plan's fingerprint: no folder, no host. */
export function fingerprintOfTask({ address }: Task): Json {
  return { task: address.name, options: address.options };
}

/**
 * Defines work on samples that can be done on other threads (`shardstream/threads`). `setup` is called once a run on each
 * thread with the options, which must be plain JSON data, and gives the function that is called for each sample, or
 * `{ run, [Symbol.asyncDispose] }`; it may be async. The module must export what this returns, under the given name: a thread
 * imports the module and looks it up. So the module should hold tasks, and not be the program itself.
 *
 * @param module `import.meta.url` of the module that exports the task. A bundler may rewrite it: see `docs/threads.md`.
 * @param name The name of the export.
 * @throws {TypeError} When a task is made with options that are not plain JSON data.
 * @example
 * ```ts
 * export const scale = defineTask(import.meta.url, "scale", ({ by }: { by: number }) => (n: number) => n * by);
 * await fromArray([1, 2, 3]).map(scale({ by: 10 })).toArray(); // [10, 20, 30]
 * ```
 */
export function defineTask<Options, I, O>(
  module: string | URL,
  name: string,
  setup: (
    options: Options,
  ) => TaskFunction<I, O> | OpenTask<I, O> | Promise<TaskFunction<I, O>> | Promise<OpenTask<I, O>>,
  options: TaskOptions<NoInfer<O>> = {},
): TaskFactory<Options, I, O> {
  const url = String(module);
  if (!URL.canParse(url)) {
    throw misuse(
      new TypeError(`Cannot define task "${name}": its module must be a URL, such as import.meta.url, not "${url}"`),
    );
  }
  if (typeof name !== "string" || name === "" || typeof setup !== "function") {
    throw misuse(
      new TypeError("Cannot define a task: it needs the name of its export, and a function that sets it up"),
    );
  }
  const make = (given: unknown): Task<I, O> =>
    new Task<I, O>({ module: url, name, options: plain(given ?? {}, name, "options") }, setup, options);
  return Object.assign(make, { "~task": name }) as TaskFactory<Options, I, O>;
}

/**
 * The task at an address: imports its module.
 *
 * @throws {PipelineError} `TASK_NOT_EXPORTED`
 */
export async function taskAt({ module, name, options }: TaskAddress): Promise<Task> {
  const refuse = (what: string, cause?: unknown): never => {
    throw new PipelineError("TASK_NOT_EXPORTED", `Cannot find task "${name}": ${what}`, {
      url: module,
      task: name,
      cause,
      hint: `export it from a module of tasks: export const ${name} = defineTask(import.meta.url, "${name}", …); a bundler must leave that module a file of its own`,
    });
  };
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(/* @vite-ignore */ module)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    return refuse(`importing "${module}" failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const factory = exported[name];
  if (typeof factory !== "function") return refuse(`"${module}" has no such export`);
  if (!("~task" in factory)) return refuse(`the export "${name}" of "${module}" was not made with defineTask`);
  return (factory as unknown as (options: Json) => Task)(options);
}

/** A stage that works with a task: set up before the first chunk is asked for, freed at the end. */
export function taskStage<I, O>(task: Task<I, O>, stageOf: (run: TaskFunction<I, O>) => Stage): Stage {
  return async function* (chunks) {
    const open = await task.open();
    try {
      for await (const chunk of stageOf((sample, info) => open.run(sample, info))(chunks)) yield chunk;
    } finally {
      await open[Symbol.asyncDispose]?.();
    }
  };
}

/** A copy of plain data; what is not, would be something else on the other side. */
function plain(value: unknown, task: string, at: string): Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, i) => plain(item, task, `${at}[${i}]`));
  if (isPlainObject(value)) {
    const given = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(given.map(([key, item]) => [key, plain(item, task, `${at}.${key}`)]));
  }
  const kind = typeof value === "object" ? (value as object).constructor?.name : typeof value;
  throw misuse(
    new TypeError(`Cannot make task "${task}": ${at} must be plain JSON data, not ${kind} ${String(value)}`),
  );
}
