import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dataset, defineTask, fromArray, NdArray, type PipelineError, shardWriter } from "../../src/index.ts";
import { taskAt } from "../../src/streams/task.ts";
import { Counted, counted, double, draw, failing, isOdd, later, lying, repeat, unset } from "../execution/tasks.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();
const samples = Array.from({ length: 10 }, (_, n) => ({ n, text: `t${n}` }));
const numbers = fromArray(Counted, samples);

describe("a task", () => {
  it("stands where a function stands, in map, filter and flatMap", async () => {
    expect((await numbers.map(double()).toArray()).map(({ n }) => n)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect((await numbers.filter(isOdd()).toArray()).map(({ n }) => n)).toEqual([1, 3, 5, 7, 9]);
    expect((await numbers.filter(isOdd({ of: 5 })).toArray()).map(({ n }) => n)).toEqual([1, 6]);
    expect((await numbers.flatMap(repeat()).head(3)).map(({ text }) => text)).toEqual(["t1 0", "t2 0", "t2 1"]);
    expect((await numbers.map(later(), { concurrency: 3 }).toArray()).map(({ n }) => n)).toEqual(
      samples.map(({ n }) => n),
    );
  });

  it("gives what its output type reads: absent optional fields are null", async () => {
    const [even, odd] = await numbers.map(draw({ add: 1 })).head(2);
    expect(even).toMatchObject({ n: 1, note: "é 0" });
    expect(odd).toMatchObject({ n: 2, note: null });
    expect((odd as unknown as { pixels: unknown }).pixels).toBeInstanceOf(NdArray);
  });

  it("is told when it gives something else", async () => {
    await expect(numbers.map(lying()).toArray()).rejects.toMatchObject({
      code: "SCHEMA_MISMATCH",
      facts: { key: "5" },
    });
    await expect(numbers.map(failing({ at: [3] })).toArray()).rejects.toMatchObject({ code: "STAGE_FAILED" });
  });

  it("makes a type for writers", async () => {
    await numbers.map(double()).pipeTo(shardWriter(`${folder}/d.tar`));
    expect(await dataset(`${folder}/d.tar`, Counted).count()).toBe(10);
  });

  it("is set up once a run, and freed at its end, also when that is early", async () => {
    const log = `${folder}/log`;
    const plan = numbers.map(counted({ log }));
    expect(await plan.head(1)).toHaveLength(1);
    await plan.toArray();
    const lines = readFileSync(log, "utf8").trim().split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["open", "close", "open", "close"]);
    await expect(numbers.map(unset()).toArray()).rejects.toMatchObject({
      code: "STAGE_FAILED",
      message: 'Cannot set up task "unset": no model',
    });
  });

  it("takes plain JSON data as options, and nothing else", () => {
    const any = defineTask(import.meta.url, "any", (_: { a: unknown }) => (n: number) => n);
    expect(any({ a: [1, { b: null, c: undefined }] }).address.options).toEqual({ a: [1, { b: null }] });
    for (const [a, what] of [
      [() => 1, "function"],
      [new Map(), "Map"],
      [1n, "bigint"],
      [Number.NaN, "NaN"],
    ] as const) {
      expect(() => any({ a })).toThrow(new RegExp(`options.a must be plain JSON data, not .*${what}`));
    }
    expect(() => numbers.map(double as never)).toThrow("call it: double(options)");
    expect(() => defineTask("tasks.ts", "x", () => () => 1)).toThrow("must be a URL");
  });

  it("is found by its address, or says why not", async () => {
    const { module } = double().address;
    expect((await taskAt({ module, name: "double", options: null })).address.name).toBe("double");
    for (const name of ["hidden", "Counted"]) {
      const error: PipelineError = await taskAt({ module, name, options: null }).then(Promise.reject, (error) => error);
      expect(error).toMatchObject({ code: "TASK_NOT_EXPORTED", facts: { url: module, task: name } });
      expect(error.message).toContain(name);
    }
    await expect(taskAt({ module: `${module}x`, name: "double", options: null })).rejects.toMatchObject({
      code: "TASK_NOT_EXPORTED",
    });
  });

  it("is part of the plan by name and options", async () => {
    const run = numbers.map(draw({ add: 1 })).run();
    await run.next();
    const resume = run.checkpoint();
    expect(await numbers.map(draw({ add: 1 })).toArray({ resume })).toHaveLength(9);
    await expect(numbers.map(draw({ add: 2 })).toArray({ resume })).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
    });
  });
});
