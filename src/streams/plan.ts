import type { AnySampleType } from "../schema/sample.ts";
import { typeToJson } from "../schema/type-json.ts";
import type { Budget } from "./budget.ts";
import { connect, progressOfSegments, type Segment, segmentsOf } from "./chain.ts";
import type { Chunk } from "./chunk.ts";
import { Delivered, type DeliveredByRanks } from "./delivered.ts";
import type { Executor, Lane } from "./executor.ts";
import type { Faults } from "./faults.ts";
import { forgetInputs, keepInputs, mayFail } from "./inputs.ts";
import { runLanes } from "./lanes.ts";
import type { Json, OperatorSpec, Stage } from "./operator.ts";
import type { Meter } from "./progress.ts";
import { checkRanks, type Part, type Ranks, readShare } from "./ranks.ts";
import { wholeShare } from "./share.ts";
import type { DecodeRequest, InputPlan, Permute, Source, SourceRequest } from "./source.ts";
import { splitPlan } from "./split.ts";
import type { StageClock } from "./timings.ts";
import { type Progress, withCombined } from "./trace.ts";

/** A source and what is done with its samples, as data: what a `Dataset` holds. */
export interface Plan {
  readonly source: Source;
  readonly operators: readonly OperatorSpec[];
  /** Number of the pass. */
  readonly epoch: number;
}

/** How the samples of an encoded source are decoded: where in the plan, which fields, as what. */
export interface Decoding extends Omit<DecodeRequest, "faults" | "budget"> {
  /** Operators in front of it: they work on encoded samples. */
  readonly at: number;
}

/** The same plan without the decoding, where nothing looks into samples: enough to count them. */
export function withoutDecoding(plan: Plan): Plan {
  const { source } = plan;
  if (source.decoder === undefined || !plan.operators.every((spec) => spec.works === "records")) return plan;
  const encoded: Source = {
    name: source.name,
    type: source.type,
    describe: () => source.describe(),
    read: (request) => source.read(request),
    permutes: source.permutes ?? false,
  };
  return { ...plan, source: encoded };
}

/** The type of what comes out of a plan, where it is known. */
export function typeOfPlan({ source, operators }: Plan): AnySampleType | undefined {
  return operators.reduce<AnySampleType | undefined>(
    (type, spec) => (spec.typeOf ? spec.typeOf(type) : type),
    source.type,
  );
}

/** Decides how samples are decoded; undefined when the source gives them decoded. */
export function decodingOf({ source, operators }: Omit<Plan, "epoch">): Decoding | undefined {
  if (source.decoder === undefined) return undefined;
  let at = 0;
  while (operators[at]?.works === "records") at++;
  const rest = operators.slice(at);
  const batchAt = rest.findIndex((spec) => spec.role === "batch");
  // A shuffle keeps rows, and columns are filled again: it takes samples encoded, or as objects.
  const keepsColumns = ({ works = "rows", role }: OperatorSpec): boolean => works !== "rows" && role !== "shuffle";
  const columns = source.decoder.columns && batchAt >= 0 && rest.slice(0, batchAt).every(keepsColumns);
  // Straight into the memory of the batch, where no row can be left out on the way.
  const direct = columns && rest.slice(0, batchAt).every((spec) => spec.selects !== undefined);
  const batch = direct ? rest[batchAt]!.batch : undefined;
  return {
    at,
    fields: source.type === undefined ? [] : neededFields(source.type, rest),
    layout: columns ? "columns" : "rows",
    batch,
  };
}

/** The fields that the operators need: all, unless a `select` comes before anything that may look at every field. */
function neededFields(type: AnySampleType, operators: readonly OperatorSpec[]): readonly string[] {
  const all = type.fields.map((field) => field.name);
  const needed = new Set<string>();
  for (const { selects, reads, role = "each" } of operators) {
    if (selects !== undefined) {
      for (const name of selects) needed.add(name);
      return all.filter((name) => needed.has(name));
    }
    if (reads === undefined && (role === "each" || role === "flat" || role === "batch")) return all;
    for (const name of reads ?? []) needed.add(name);
  }
  return all;
}

/** What tells a plan apart from others: a checkpoint of one is refused by another. */
export async function fingerprintOf({ source, operators }: Omit<Plan, "epoch">): Promise<string> {
  return digestOf([source.name, await source.describe()], operators);
}

/** The same for an input of a combined source: its own inputs have to be the same ones, too. */
export async function fingerprintOfInput({ source, operators }: InputPlan): Promise<string> {
  if (source.inputs === undefined) return fingerprintOf({ source, operators });
  const inputs = await Promise.all(source.inputs.map(fingerprintOfInput));
  return digestOf([source.name, await source.describe(), source.changeable ?? null, inputs], operators);
}

async function digestOf(source: Json, operators: readonly OperatorSpec[]): Promise<string> {
  const plan: Json = {
    source,
    operators: operators.filter((spec) => spec.tuning !== true).map(({ name, options = null }) => [name, options]),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(plan));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest, 0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What one pass over a plan needs. */
export interface OpenOptions {
  readonly faults: Faults;
  readonly signal: AbortSignal;
  /** How far the last of its segments has come; absent: from the start. */
  readonly resume: Progress | undefined;
  /** Absent: memory is not limited. */
  readonly budget?: Budget | undefined;
  /** Where to count what is read. */
  readonly meter?: Meter | undefined;
  /** Measures the stages. */
  readonly clock?: StageClock | undefined;
  /** Where lanes are run. Absent: all is done here. */
  readonly executor?: Executor | undefined;
}

/** Starts a pass: the chunks that come out of the last operator. Nothing is opened before the first is asked for. */
export function openPlan(plan: Plan, { resume: left, ...context }: OpenOptions): AsyncIterable<Chunk> {
  const { source, epoch } = plan;
  const stages = stagesOf(plan, context);
  const { segments } = stages;
  const resume = left && withCombined(left, (combined, start) => source.resumed?.(combined, start) ?? combined);
  const [first] = progressOfSegments(segments.length, resume);
  const request = { ...requestOf(plan, segments, context), from: first?.start ?? 0, resume: first, share: wholeShare };
  const chunks = stages.lanes?.(request, ALONE) ?? source.read(request);
  const options = { ...context, epoch, resume };
  return connect(sourced(chunks, plan, stages, context), stages.here, stages.type, options);
}

/** A pass over what one of several ranks owns, without what any of them delivered before. */
export function openShare(
  plan: Plan,
  ranks: Ranks,
  before: readonly DeliveredByRanks[],
  context: Omit<OpenOptions, "resume">,
): AsyncIterable<Chunk> {
  const { source, epoch } = plan;
  const stages = stagesOf(plan, context);
  const { segments } = stages;
  checkRanks(segments, source, ranks, context.faults);
  const shift = segments.slice(1).reduce((sum, { countFrom }) => sum + countFrom, 0);
  const delivered = new Delivered(before, segments.at(-1)!.steps.at(-1)?.order, shift);
  // How far the inputs of a combined source had come is not known of all ranks.
  const from = source.inputs === undefined || delivered.start === Infinity ? delivered.start : 0;
  const request = { ...requestOf(plan, segments, context), from, resume: undefined, share: wholeShare };
  const read = (): AsyncIterable<Chunk> => stages.lanes?.(request, ranks) ?? readShare(source, request, ranks);
  const shared = { delivered: before.length === 0 ? undefined : delivered };
  const options = { ...context, epoch, resume: undefined, shared };
  return connect(
    sourced(from === Infinity ? none() : read(), plan, stages, context),
    stages.here,
    stages.type,
    options,
  );
}

const ALONE: Ranks = { rank: 0, worldSize: 1, even: "exact" };

async function* none(): AsyncGenerator<Chunk> {}

/** Which samples are kept beside the rows that are made of them: none, those that a stage may fail at, or all. */
type Keeps = Lane["keeps"];

/** The stages of a pass. */
interface Stages {
  /** All of them, numbered as without lanes. */
  readonly segments: readonly Segment[];
  /** Those that are run on this thread, and the type of the rows that they are given. */
  readonly here: readonly Segment[];
  readonly type: AnySampleType | undefined;
  /** Runs the others, and reads the source. Absent: there are none. */
  readonly lanes?: (request: SourceRequest, ranks: Ranks) => AsyncIterable<Chunk>;
}

function stagesOf(plan: Plan, { executor, faults }: Omit<OpenOptions, "resume">): Stages {
  const { source, operators, epoch } = plan;
  const length = executor === undefined ? 0 : splitPlan(plan).length;
  if (executor === undefined || length === 0) {
    const segments = segmentsOf(specsOf(plan, faults.keepsInputs ? "faults" : "none", faults.leavesOutSamples), epoch);
    return { segments, here: segments, type: source.type };
  }
  const first = { ...plan, operators: operators.slice(0, length) };
  const rest = operators.slice(length);
  const type = typeOfPlan(first);
  // What comes from lanes may have to be decoded once more.
  const decoder = type && executor.decoder?.(type);
  const laneSource: Source = { ...NO_SOURCE, type, decoder };
  const specs = [...rest];
  const decoding = decodingOf({ source: laneSource, operators: rest });
  if (decoding !== undefined) {
    const open: OperatorSpec["open"] = ({ faults: own }) => decoder!.open({ ...decoding, faults: own });
    specs.splice(decoding.at, 0, { name: "decode", works: "records", tuning: true, open });
  }
  const away = specsOf(first, "none", faults.leavesOutSamples);
  const segments = segmentsOf([...away, ...specs], epoch);
  const here = segments.map((segment, i) =>
    i > 0 ? segment : { ...segment, steps: segment.steps.slice(away.length) },
  );
  const keeps = !faults.keepsInputs ? "none" : rest.some(mayFail) ? "all" : "faults";
  const output = type === undefined ? null : typeToJson(type);
  return {
    segments,
    here,
    type,
    lanes: (request, ranks) => readLanes(executor, first, request, { ranks, keeps, output }),
  };
}

/** Only to be decoded: it is read by lanes. */
const NO_SOURCE: Source = { name: "lanes", type: undefined, describe: async () => null, read: none };

async function* readLanes(
  executor: Executor,
  { source, operators, epoch }: Plan,
  request: SourceRequest,
  given: Pick<Lane, "ranks" | "keeps" | "output">,
): AsyncGenerator<Chunk> {
  const { from, interleave = null, permute = null, faults } = request;
  const lane: Lane = {
    source: await source.address!(),
    operators: operators.map(({ name, address }) => ({ name, ...address! })),
    epoch,
    interleave,
    permute,
    from,
    raises: faults.raises,
    ...given,
  };
  yield* runLanes(executor, lane, request);
}

/** One lane at work: what an executor runs elsewhere. */
export function openLane(
  plan: Plan,
  lane: Lane,
  part: Part,
  context: Pick<SourceRequest, "faults" | "signal" | "meter">,
): AsyncIterable<Chunk> {
  const { from, ranks, epoch, keeps } = lane;
  const request: SourceRequest = {
    from,
    interleave: lane.interleave ?? undefined,
    permute: lane.permute ?? undefined,
    epoch,
    resume: undefined,
    share: wholeShare,
    ...context,
  };
  const isWhole = part.of === 1 && ranks.worldSize === 1;
  const read = isWhole ? plan.source.read(request) : readShare(plan.source, request, ranks, part);
  const chunks = decodingOf(plan) === undefined ? keepSome(plan, keeps)(read) : read;
  const segments = segmentsOf(specsOf(plan, keeps, false), epoch);
  return connect(chunks, segments, plan.source.type, { epoch, ...context, resume: undefined });
}

/** What the source gives, kept for a quarantine and measured where the run asks for it. */
function sourced(
  read: AsyncIterable<Chunk>,
  plan: Plan,
  { lanes }: Stages,
  { faults, clock, executor }: Omit<OpenOptions, "resume">,
): AsyncIterable<Chunk> {
  const keeps = faults.keepsInputs && lanes === undefined && decodingOf(plan) === undefined;
  const kept = keepSome(plan, keeps ? "faults" : "none")(read);
  return clock === undefined ? kept : clock.time(lanes === undefined ? plan.source.name : executor!.name, kept);
}

/** Keeps what the source gave beside its rows, as long as a stage may fail at one. */
function keepSome(plan: Plan, keeps: Keeps, at = 0): Stage {
  return keeps === "none" ? (chunks) => chunks : keepInputs(keeps === "faults" && failsUpTo(plan) <= at);
}

/** Behind the last stage that may fail nobody asks for what rows were made of. */
function failsUpTo({ operators }: Plan): number {
  return operators.findLastIndex(mayFail) + 1;
}

/** The operators, with the decoding at its place, and with what a quarantine needs. */
function specsOf(plan: Plan, keeps: Keeps, leavesOutSamples: boolean): OperatorSpec[] {
  const { source, operators } = plan;
  const specs = [...operators];
  const decoding = decodingOf(plan);
  const decodeAt = decoding?.at ?? 0;
  const forgetAt = Math.max(failsUpTo(plan), decodeAt);
  if (keeps === "faults" && forgetAt < operators.length) {
    specs.splice(forgetAt, 0, { name: "forget", works: "records", tuning: true, open: () => forgetInputs });
  }
  if (decoding !== undefined) {
    const keep = keepSome(plan, keeps, decodeAt);
    specs.splice(decoding.at, 0, {
      name: "decode",
      works: "records",
      drops: leavesOutSamples,
      open: ({ faults, budget }) => {
        const decode = source.decoder!.open({ ...decoding, faults, budget });
        return (chunks) => decode(keep(chunks));
      },
    });
  }
  return specs;
}

function requestOf(
  plan: Plan,
  segments: readonly Segment[],
  { faults, signal, meter, budget }: Pick<SourceRequest, "faults" | "signal" | "meter" | "budget">,
): Omit<SourceRequest, "from" | "resume" | "share"> {
  const { epoch } = plan;
  const permute = permuteOf(plan);
  return {
    epoch,
    interleave: permute === undefined ? interleaveOf(segments, epoch) : undefined,
    permute: permute && { ...permute, epoch },
    faults,
    signal,
    meter,
    budget,
  };
}

/**
 * The shuffle of all samples that a plan asks its source for, if any: the source reads in that order, and nothing is left to do
 * for the operator.
 *
 * @throws {TypeError} If the source cannot, or an operator before it moves, counts or joins samples.
 */
export function permuteOf({ source, operators }: Plan): Permute | undefined {
  const at = operators.findIndex((spec) => spec.permute !== undefined);
  if (at < 0) return undefined;
  const refuse = (what: string): TypeError =>
    new TypeError(`Cannot shuffle all samples: ${what}; pass a window, as in shuffle({ window: 10_000 })`);
  const before = operators.slice(0, at).find(({ role = "each" }) => role !== "each");
  if (before !== undefined) throw refuse(`it must come before ${before.name}, right behind the source`);
  if (operators.slice(at + 1).some((spec) => spec.permute !== undefined))
    throw refuse("another such shuffle comes first");
  if (source.permutes !== true) throw refuse(`${source.name} cannot be read in any order`);
  return operators[at]!.permute;
}

/** A windowed shuffle in the first segment has the source read its shards in a seeded order, whatever stands before it. */
function interleaveOf([first]: readonly Segment[], epoch: number): { seed: number; epoch: number } | undefined {
  const shuffle = first!.steps.find(({ spec }) => spec.role === "shuffle")?.spec.shuffle;
  return shuffle === undefined ? undefined : { seed: shuffle.seed, epoch };
}
