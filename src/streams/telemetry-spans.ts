import { context, metrics, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Telemetry } from "./telemetry.ts";

/** A span for a run, one inside of it for each shard that is read, and counters of samples, bytes and errors. */
export function openSpans(plan: string): Telemetry {
  const tracer = trace.getTracer("shardstream");
  const meter = metrics.getMeter("shardstream");
  const samples = meter.createCounter("shardstream.samples", { description: "Samples read", unit: "{sample}" });
  const bytes = meter.createCounter("shardstream.bytes", { description: "Bytes read as stored", unit: "By" });
  const errors = meter.createCounter("shardstream.errors", { description: "Errors", unit: "{error}" });
  const run = tracer.startSpan("shardstream.run", { attributes: { "shardstream.plan": plan } });
  const inside = trace.setSpan(context.active(), run);
  return {
    shard(url) {
      const shard = tracer.startSpan("shardstream.shard", { attributes: { "shardstream.shard": url } }, inside);
      return () => shard.end();
    },
    read(moreSamples, moreBytes) {
      samples.add(moreSamples);
      bytes.add(moreBytes);
    },
    fault(error, scope) {
      errors.add(1, { code: error.code, scope });
      run.addEvent("fault", { code: error.code, scope, message: error.message });
    },
    warning: (text) => void run.addEvent("warning", { message: text }),
    end(progress, failure) {
      run.setAttributes({
        "shardstream.items": progress.items,
        "shardstream.samples": progress.samples,
        "shardstream.bytes": progress.bytes,
      });
      if (failure !== undefined) {
        const { error } = failure;
        run.recordException(error instanceof Error ? error : String(error));
        run.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
        errors.add(1, { code: (error as { code?: string } | undefined)?.code ?? "UNKNOWN", scope: "run" });
      }
      run.end();
    },
  };
}
