import { getLogger } from "@logtape/logtape";
import type { Telemetry } from "./telemetry.ts";

/** Logs under the category `["shardstream", "run"]`: shards at debug, a run's begin and end at info, faults as warnings. */
export function openLogs(plan: string): Telemetry {
  const log = getLogger(["shardstream", "run"]);
  log.info("run of {plan} begins", { plan });
  return {
    shard(url) {
      log.debug("shard {url} is opened", { url });
      return () => log.debug("shard {url} is closed", { url });
    },
    read() {},
    fault(error, scope) {
      const { code, message, facts } = error;
      log.warn("{message}", { message, code, scope, ...facts });
    },
    warning: (text) => log.warn("{message}", { message: text }),
    end(progress, failure) {
      const { items, samples, bytes, elapsedMs } = progress;
      const figures = { plan, items, samples, bytes, elapsedMs };
      if (failure === undefined) log.info("run of {plan} ends: {items} items in {elapsedMs} ms", figures);
      else log.error("run of {plan} failed: {error}", { ...figures, error: failure.error });
    },
  };
}
