import type { WorkContext } from "../streams/executor.ts";
import type { Json } from "../streams/operator.ts";
import { toCrossing } from "./crossing-error.ts";
import type { FromWork, WorkOrder } from "./messages.ts";

/** What does a kind of work. */
export type WorkKind = (order: Json, context: WorkContext) => Promise<Json>;

/** Does a piece of work on this thread. Its end is told behind its progress; what goes wrong is not thrown. */
export async function runWork(
  { name, order, port }: WorkOrder,
  workers: Readonly<Record<string, WorkKind>>,
): Promise<void> {
  const stop = new AbortController();
  port.on("message", () => stop.abort(new DOMException("The job was ended", "AbortError")));
  const send = (message: FromWork): void => port.postMessage(message);
  try {
    const value = await workers[name]!(order, { signal: stop.signal, tell: (told) => send({ told }) });
    send({ value });
  } catch (error) {
    send({ error: toCrossing(error) });
  } finally {
    port.close();
  }
}
