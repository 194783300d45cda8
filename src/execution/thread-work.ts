import { PipelineError } from "../errors.ts";
import { builtin } from "../runtime/runtime.ts";
import type { WorkContext } from "../streams/executor.ts";
import type { Json } from "../streams/operator.ts";
import { fromCrossing } from "./crossing-error.ts";
import type { FromWork, LanePort } from "./messages.ts";
import type { Thread } from "./thread.ts";

/** How long work that is told to stop is waited for: a function of the user may never end. */
const CLOSE_MS = 1000;

/** Has a thread do a piece of work; `timeoutMs`: a thread that tells nothing for so long is ended. */
export async function workOn(
  thread: Thread,
  { name, order, timeoutMs }: { readonly name: string; readonly order: Json; readonly timeoutMs: number },
  { signal, tell }: WorkContext,
): Promise<Json> {
  signal.throwIfAborted();
  const { port1, port2 } = new (builtin("worker_threads").MessageChannel)();
  const over = Promise.withResolvers<Json>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    if (timeoutMs > 0) timer = setTimeout(giveUp, timeoutMs);
  };
  const giveUp = (): void => {
    over.reject(
      new PipelineError("THREAD_FAILED", `Cannot go on: a thread told nothing for ${timeoutMs} ms, and was ended`, {
        hint: "a task may wait for what never comes; or give threads({ timeoutMs }) more time",
      }),
    );
    void thread.restart();
  };
  const stop = (): void => {
    port1.postMessage("stop");
    clearTimeout(timer);
    timer = setTimeout(() => over.reject(signal.reason), CLOSE_MS);
  };
  port1.on("message", (message: FromWork) => {
    if ("value" in message) over.resolve(message.value);
    else if ("error" in message) over.reject(signal.aborted ? signal.reason : fromCrossing(message.error));
    else {
      if (!signal.aborted) wait();
      tell(message.told);
    }
  });
  signal.addEventListener("abort", stop, { once: true });
  wait();
  try {
    thread.work({ name, order, port: port2 as unknown as LanePort }).catch(over.reject);
    return await over.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    port1.close();
  }
}
