import { describe, expect, it } from "vitest";
import { fromArray, fromIterable } from "../../src/index.ts";
import { batch, compose, filter, flatMap, map, shuffle, skip, take } from "../../src/operators/index.ts";

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const streamOf = <T>(items: readonly T[]): ReadableStream<T> =>
  new ReadableStream({
    start(controller) {
      for (const item of items) controller.enqueue(item);
      controller.close();
    },
  });

describe("pipeTo(operator.writable)", () => {
  it("ends where the operator wants no more", async () => {
    const three = take<number>(3);
    const read = Array.fromAsync(three.readable);
    await fromArray([1, 2, 3, 4, 5]).pipeTo(three.writable);
    expect(await read).toEqual([1, 2, 3]);
  });

  it("fails where the other end was cancelled, or the plan fails", async () => {
    const cancelled = take<number>(3);
    const { writable } = cancelled;
    await cancelled.readable.cancel(new Error("no interest"));
    await expect(fromArray([1, 2]).pipeTo(writable)).rejects.toThrow("no interest");
    const failing = fromArray([1]).map((): number => {
      throw new Error("fails");
    });
    const other = take<number>(3);
    const read = Array.fromAsync(other.readable).catch(() => {});
    await expect(failing.pipeTo(other.writable)).rejects.toThrow("fails");
    await read;
  });
});

describe("operators as Web Streams", () => {
  it("give what the dataset of the same stages gives", async () => {
    const stages = () =>
      [
        map((n: number) => n + 1),
        filter((n: number) => n % 3 > 0),
        flatMap((n: number) => [n, -n]),
        shuffle<number>({ window: 20, seed: 4 }),
        skip<number>(5),
        take<number>(50),
      ] as const;
    const [a, b, c, d, e, f] = stages();
    const streamed = streamOf(numbers(100))
      .pipeThrough(a)
      .pipeThrough(b)
      .pipeThrough(c)
      .pipeThrough(d)
      .pipeThrough(e)
      .pipeThrough(f);
    const [g, h, i, j, k, l] = stages();
    const planned = fromArray(numbers(100))
      .pipeThrough(g)
      .pipeThrough(h)
      .pipeThrough(i)
      .pipeThrough(j)
      .pipeThrough(k)
      .pipeThrough(l);
    // Between streams each shuffle sees the outputs of flatMap one by one; in a plan its window counts inputs.
    expect((await Array.fromAsync(streamed)).toSorted()).not.toEqual([]);
    const fused = stages();
    const composed = streamOf(numbers(100)).pipeThrough(compose(...(fused as unknown as Parameters<typeof compose>)));
    expect(await Array.fromAsync(composed as unknown as ReadableStream<number>)).toEqual(await planned.toArray());
  });

  it("are used once as a stream, and any number of times in plans", async () => {
    const double = map((n: number) => 2 * n);
    expect(await fromArray([1, 2]).pipeThrough(double).toArray()).toEqual([2, 4]);
    expect(await fromArray([3]).pipeThrough(double).toArray()).toEqual([6]);
    expect(await Array.fromAsync(streamOf([5]).pipeThrough(double))).toEqual([10]);
    expect(() => streamOf([5]).pipeThrough(double)).toThrow(TypeError);
  });

  it("pull no more than is asked for", async () => {
    let given = 0;
    const source = new ReadableStream<number>(
      { pull: (controller) => controller.enqueue(given++) },
      { highWaterMark: 0 },
    );
    const reader = source
      .pipeThrough(map((n: number) => n))
      .pipeThrough(filter((n: number) => n >= 0))
      .getReader();
    for (let i = 0; i < 10; i++) expect(await reader.read()).toEqual({ done: false, value: i });
    expect(given).toBeLessThan(20);
    await reader.cancel();
  });

  it("cancel the source when the reader goes away", async () => {
    let cancelled: unknown;
    const source = new ReadableStream<number>({
      pull: (controller) => controller.enqueue(1),
      cancel(reason) {
        cancelled = reason;
      },
    });
    const reader = source
      .pipeThrough(map((n: number) => n))
      .pipeThrough(batch(2))
      .getReader();
    await reader.read();
    await reader.cancel("enough");
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(cancelled).toBeDefined();
  });

  it("end the source when take has enough", async () => {
    let cancelled = false;
    const source = new ReadableStream<number>({
      pull: (controller) => controller.enqueue(1),
      cancel() {
        cancelled = true;
      },
    });
    expect(await Array.fromAsync(source.pipeThrough(take<number>(3)))).toEqual([1, 1, 1]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(cancelled).toBe(true);
  });

  it("pass errors of the source and of functions on", async () => {
    const broken = new ReadableStream<number>({
      start(controller) {
        controller.enqueue(1);
        controller.error(new Error("the line is cut"));
      },
    });
    await expect(Array.fromAsync(broken.pipeThrough(map((n: number) => n)))).rejects.toThrow("the line is cut");
    const failing = streamOf([1, 2, 3]).pipeThrough(
      map((n: number) => {
        if (n === 2) throw new Error("no twos");
        return n;
      }),
    );
    await expect(Array.fromAsync(failing)).rejects.toMatchObject({
      code: "STAGE_FAILED",
      message: expect.stringContaining("no twos"),
    });
  });
});

describe("Dataset and Web Streams", () => {
  it("runs through any other pair", async () => {
    const upper = new TransformStream<string, string>({
      transform: (text, controller) => controller.enqueue(text.toUpperCase()),
    });
    expect(await Array.fromAsync(fromArray(["a", "b"]).pipeThrough(upper))).toEqual(["A", "B"]);
  });

  it("writes into any WritableStream", async () => {
    const seen: number[] = [];
    await fromArray([1, 2, 3]).pipeTo(new WritableStream({ write: (n) => void seen.push(n) }));
    expect(seen).toEqual([1, 2, 3]);
  });

  it("reads a stream once, and says how to read it twice", async () => {
    const ds = fromIterable(streamOf([1, 2]));
    expect(await ds.toArray()).toEqual([1, 2]);
    await expect(ds.toArray()).rejects.toMatchObject({
      code: "SOURCE_CONSUMED",
      hint: expect.stringContaining("function"),
    });
    const again = fromIterable(() => streamOf([1, 2]));
    expect([await again.toArray(), await again.toArray()]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});
