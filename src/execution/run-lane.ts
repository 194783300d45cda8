import { PipelineError } from "../errors.ts";
import { typeFromJson } from "../schema/type-json.ts";
import type { Lane } from "../streams/executor.ts";
import type { Operator, OperatorAddress } from "../streams/operator.ts";
import { openLane } from "../streams/plan.ts";
import type { Source } from "../streams/source.ts";
import { type OpenTask, type Task, taskAt } from "../streams/task.ts";
import { toCrossing } from "./crossing-error.ts";
import { LaneFaults, ReadPlace } from "./lane-faults.ts";
import { LaneSender, Stopped } from "./lane-sender.ts";
import { Flag, type LaneOrder, type ToLane } from "./messages.ts";

/** What a lane may be made of, by the layers that lie above. */
export interface LaneParts {
  sourceAt(address: Lane["source"]): Source;
  operatorAt(name: string, address: OperatorAddress, task: Task | undefined): Operator<never, unknown>;
}

/** Runs one lane on this thread, to its end or until it is told to stop. What goes wrong is sent, and not thrown. */
export async function runLane({ lane, part, port, flags: shared }: LaneOrder, parts: LaneParts): Promise<void> {
  const flags = new Int32Array(shared);
  const type = lane.output === null ? undefined : typeFromJson(lane.output);
  const meter = { samples: 0, bytes: 0 };
  // Every lane goes through all shards, so that the bytes of one count; where it goes by an index, it reads its own.
  const bytesCount = part.index === 0 || lane.permute !== null;
  const counted = {
    get samples() {
      return meter.samples;
    },
    get bytes() {
      return bytesCount ? meter.bytes : 0;
    },
  };
  const sender = new LaneSender(port, flags, type, lane.keeps === "all", counted);
  const abort = new AbortController();
  const stop = (): void => abort.abort(new DOMException("The run was closed", "AbortError"));
  const closed = new Promise<void>((resolve) => {
    port.on("message", (message: ToLane) => {
      if (message === "stop") stop();
      if (message === "close") resolve();
      sender.arrive(typeof message === "string" ? undefined : message);
    });
  });
  const place = new ReadPlace(lane.from, lane.permute !== null);
  const faults = LaneFaults.open({ lane, signal: abort.signal, place, send: (fault) => sender.fault(fault) });
  const poll = (): void => {
    if (Atomics.load(flags, Flag.STOP) === 0) return;
    stop();
    throw new Stopped();
  };
  // Where functions answer at once, all that was read is done when more is asked for.
  const prompt = { is: lane.ranks.even === "exact" };
  const asked = (): void => {
    poll();
    if (sender.isHungry) sender.flush(prompt.is ? place.position : 0);
  };
  sender.flush(0); // says that the thread has started
  try {
    const operators: Operator<never, unknown>[] = [];
    for (const { name, ...address } of lane.operators) {
      const task = address.task && watched(await taskAt(address.task), poll, prompt);
      operators.push(parts.operatorAt(name, address, task));
    }
    const source = place.watch(parts.sourceAt(lane.source), asked);
    const plan = { source, operators: operators.map(({ spec }) => spec), epoch: lane.epoch };
    const stage = lane.operators.at(-1)!.name;
    for await (const chunk of openLane(plan, lane, part, { faults, signal: abort.signal, meter })) {
      poll();
      await sender.send(chunk, faults, stage);
      if (!prompt.is && sender.isHungry) sender.flush(0);
    }
    sender.flush(0, true);
  } catch (error) {
    const position = faults.endedAt ?? place.position;
    const fault = {
      scope: "end",
      position,
      once: "",
      error: toCrossing(sendable(error)),
      stage: "",
      origin: undefined,
    } as const;
    if (!(error instanceof Stopped)) sender.fault(fault);
    sender.flush(0, true);
  }
  await closed;
  port.close();
}

/** The same task, which sees a stop between two samples, and notes when it answers with a promise. */
function watched(task: Task, poll: () => void, prompt: { is: boolean }): Task {
  const open = async (): Promise<OpenTask<unknown, unknown>> => {
    const opened = (await task.open()) as OpenTask<unknown, unknown>;
    return {
      run(sample, info) {
        poll();
        const value = opened.run(sample, info);
        if (value instanceof Promise) prompt.is = false;
        return value;
      },
      [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose]?.(),
    };
  };
  return Object.assign(Object.create(task) as Task, { open });
}

/** What cannot be cloned, a function among the values of a result, is the fault of the task. */
function sendable(error: unknown): unknown {
  if (!(error instanceof DOMException) || error.name !== "DataCloneError") return error;
  return new PipelineError("STAGE_FAILED", `Cannot send a result to the calling thread: ${error.message}`, {
    cause: error,
    hint: "give plain data, or the task an { output } type",
  });
}
