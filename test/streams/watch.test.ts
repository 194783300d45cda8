import { statSync } from "node:fs";
import { join } from "node:path";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { metrics, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterEach, describe, expect, it } from "vitest";
import {
  dataset,
  defineSample,
  field,
  fromArray,
  fromIterable,
  jsonLinesWriter,
  type RunProgress,
  shardWriter,
} from "../../src/index.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = temporaryFolder();
const Item = defineSample("Item", { id: field.int(), text: field.string() });
const COUNT = 1_000;
await fromArray(
  Item,
  Array.from({ length: COUNT }, (_, id) => ({ id, text: "x".repeat(id % 100) })),
).pipeTo(shardWriter(join(folder, "items-%03d.tar"), { samplesPerShard: 250 }));
const items = dataset(join(folder, "items-*.tar"), Item);
const bytes = (await items.listShards()).reduce((sum, path) => sum + statSync(path).size, 0);
const busy = (ms: number): void => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

describe("run.progress", () => {
  it("says how far a run over shards has come, and how much there is", async () => {
    const run = items.filter(({ id }) => id % 2 === 0).run();
    expect(run.progress).toMatchObject({ items: 0, samples: 0, bytes: 0, elapsedMs: 0, itemsPerSecond: 0 });
    for (let i = 0; i < 200; i++) await run.next();
    const { items: done, samples, timeLeftMs, ...half } = run.progress;
    expect(done).toBe(200);
    expect(samples).toBeGreaterThanOrEqual(400);
    expect(half.totalBytes).toBe(bytes);
    expect(half.bytes).toBeGreaterThan(0);
    expect(half.bytes).toBeLessThan(bytes);
    expect(timeLeftMs).toBeGreaterThan(0);
    while ((await run.next()).done !== true);
    expect(run.progress).toMatchObject({ items: 500, samples: COUNT, bytes, totalBytes: bytes, timeLeftMs: 0 });
    const { elapsedMs } = run.progress;
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(run.progress.elapsedMs).toBe(elapsedMs);
  });

  it("counts what is read in the order of a shuffle of all samples, and by slices", async () => {
    for (const plan of [items.shuffle({ seed: 1, blockBytes: 1_000_000 }), items.slice(0, COUNT)]) {
      const run = plan.run();
      while ((await run.next()).done !== true);
      expect(run.progress.samples).toBe(COUNT);
      expect(run.progress.bytes).toBeGreaterThan(bytes / 2);
    }
  });

  it("counts samples of a list, and does not guess behind a take", async () => {
    const numbers = fromArray(Array.from({ length: COUNT }, (_, n) => n));
    const looks: RunProgress[] = [];
    const options = { onProgress: (progress: RunProgress) => looks.push(progress), progressEveryMs: 0 };
    expect(await numbers.toArray(options)).toHaveLength(COUNT);
    expect(looks[0]).toMatchObject({ totalSamples: COUNT, totalBytes: undefined });
    expect(looks.some(({ timeLeftMs }) => timeLeftMs! > 0)).toBe(true);
    expect(looks.at(-1)).toMatchObject({ items: COUNT, samples: COUNT, timeLeftMs: 0 });
    looks.length = 0;
    await numbers.take(500).toArray(options);
    expect(looks[0]!.timeLeftMs).toBeUndefined();
  });

  it("is told while a run goes to a sink, not too often, and at the end once", async () => {
    const looks: RunProgress[] = [];
    const slow = items.tap(({ id }) => id % 100 === 0 && busy(4));
    const onProgress = (progress: RunProgress): void => void looks.push(progress);
    await slow.pipeTo(jsonLinesWriter(join(folder, "out.jsonl")), { onProgress, progressEveryMs: 15 });
    expect(looks.length).toBeGreaterThan(1);
    expect(looks.length).toBeLessThan(10);
    expect(looks.at(-1)).toMatchObject({ items: COUNT, bytes });
    looks.length = 0;
    await items.toArray({ onProgress, progressEveryMs: 1e6 });
    expect(looks).toHaveLength(1);
  });

  it("refuses wrong options", () => {
    expect(() => items.run({ onProgress: 1 as never })).toThrow(TypeError);
    expect(() => items.run({ progressEveryMs: -1 })).toThrow(RangeError);
  });
});

describe("run({ timings: true })", () => {
  it("finds the stage that takes the most", async () => {
    const plan = items.map((item) => item).filter(({ id }) => (id % 10 === 0 && busy(1)) || true);
    const run = plan.run({ timings: true });
    for await (const _ of run);
    const { stages, slowest } = run.summary;
    expect(stages!.map(({ name }) => name)).toEqual(["shards", "decode", "map", "filter", "consumer"]);
    expect(slowest).toBe("filter");
    expect(stages!.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    expect(stages!.find(({ name }) => name === "filter")!.ms).toBeGreaterThan(90);
    const { elapsedMs } = run.progress;
    expect(stages!.reduce((sum, { ms }) => sum + ms, 0)).toBeLessThanOrEqual(elapsedMs + 1);
  });

  it("finds a slow consumer, a slow sink, and a slow source", async () => {
    const run = items.run({ timings: true });
    for await (const { id } of run) if (id % 10 === 0) busy(1);
    expect(run.summary.slowest).toBe("consumer");
    const slowSink = items.run({ timings: true });
    const key = ({ id }: { id: number }): string => {
      if (id % 10 === 0) busy(1);
      return String(id);
    };
    await slowSink.pipeTo(shardWriter(join(folder, "slow.tar"), { key }));
    expect(slowSink.summary.slowest).toBe("shardWriter");
    const slowSource = fromIterable(async function* () {
      for (let n = 0; n < 5; n++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        yield n;
      }
    }).run({ timings: true });
    await slowSource.count();
    expect(slowSource.summary.slowest).toBe("fromIterable");
  });

  it("measures nothing unless asked", async () => {
    const run = items.run();
    await run.count();
    expect(run.summary).not.toHaveProperty("stages");
  });
});

describe("run({ telemetry: true })", () => {
  afterEach(async () => {
    trace.disable();
    metrics.disable();
    await reset();
  });

  it("makes spans, counters and logs", async () => {
    const spans = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 });
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    const logs: LogRecord[] = [];
    await configure({
      sinks: { memory: (record) => logs.push(record) },
      loggers: [
        { category: "shardstream", lowestLevel: "debug", sinks: ["memory"] },
        { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["memory"] },
      ],
    });

    const plan = items.map(({ id }) => {
      if (id % 500 === 3) throw new Error(`no ${id}`);
      return id;
    });
    expect(await plan.toArray({ telemetry: true, onError: "skip" })).toHaveLength(COUNT - 2);

    const finished = spans.getFinishedSpans();
    const run = finished.find(({ name }) => name === "shardstream.run")!;
    const shards = finished.filter(({ name }) => name === "shardstream.shard");
    expect(shards).toHaveLength(4);
    expect(shards.every(({ parentSpanContext }) => parentSpanContext?.spanId === run.spanContext().spanId)).toBe(true);
    expect(run.attributes).toMatchObject({
      "shardstream.plan": "shards > map",
      "shardstream.items": COUNT - 2,
      "shardstream.bytes": bytes,
    });
    expect(run.events.map(({ name }) => name)).toEqual(["fault", "fault"]);

    await reader.forceFlush();
    const counted = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.reduce((sum, { value }) => sum + Number(value), 0),
      ]);
    expect(Object.fromEntries(counted)).toEqual({
      "shardstream.samples": COUNT,
      "shardstream.bytes": bytes,
      "shardstream.errors": 2,
    });

    const levels = Object.groupBy(logs, ({ level }) => level);
    expect(levels.debug).toHaveLength(8);
    expect(levels.info).toHaveLength(2);
    expect(levels.warning!.map(({ properties }) => [properties.code, properties.index])).toEqual([
      ["STAGE_FAILED", 3],
      ["STAGE_FAILED", 3],
    ]);
    expect(logs.every(({ category }) => category[0] === "shardstream")).toBe(true);

    const failing = items.map(() => {
      throw new Error("never");
    });
    await expect(failing.toArray({ telemetry: true })).rejects.toThrow("never");
    const failed = spans.getFinishedSpans().at(-1)!;
    expect(failed.status.code).toBe(SpanStatusCode.ERROR);
    expect(logs.at(-1)!.level).toBe("error");
  });

  it("is silent where nobody set anything up", async () => {
    expect(await items.toArray({ telemetry: true })).toHaveLength(COUNT);
  });
});
