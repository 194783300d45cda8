import { PipelineError } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { typeToJson } from "../schema/type-json.ts";
import { connect, type Segment, segmentsOf } from "./chain.ts";
import { type Checkpoint, deliveredBy } from "./checkpoint.ts";
import type { Chunk } from "./chunk.ts";
import { Delivered } from "./delivered.ts";
import type { Executor, Lane } from "./executor.ts";
import type { Faults } from "./faults.ts";
import { runLanes } from "./lanes.ts";
import type { Json, OperatorSpec } from "./operator.ts";
import { checkRanks, type Part, type Ranks, readShare } from "./ranks.ts";
import { wholeShare } from "./share.ts";
import type { DecodeRequest, Source, SourceRequest } from "./source.ts";
import { splitPlan } from "./split.ts";

/** A source and what is done with its samples, as data: what a `Dataset` holds. */
export interface Plan {
  readonly source: Source;
  readonly operators: readonly OperatorSpec[];
  /** Number of the pass. */
  readonly epoch: number;
}

/** How the samples of an encoded source are decoded: where in the plan, which fields, as what. */
export interface Decoding extends Omit<DecodeRequest, "faults"> {
  /** Operators in front of it: they work on encoded samples. */
  readonly at: number;
}

/** The same plan without the decoding, where nothing looks into samples: enough to count them. */
export function withoutDecoding(plan: Plan): Plan {
  if (!plan.operators.every((spec) => spec.works === "records")) return plan;
  const { source } = plan;
  const encoded: Source = {
    name: source.name,
    type: source.type,
    describe: () => source.describe(),
    read: (request) => source.read(request),
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
export function decodingOf({ source, operators }: Plan): Decoding | undefined {
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
    size: batch?.size,
    recycle: batch?.recycle ?? false,
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
export async function fingerprintOf({ source, operators }: Plan): Promise<string> {
  const plan: Json = {
    source: [source.name, await source.describe()],
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
  readonly resume: Checkpoint | undefined;
  readonly ranks: Ranks;
  readonly executor?: Executor | undefined;
}

/** Starts a pass: the chunks that come out of the last operator. Nothing is opened before the first is asked for. */
export function openPlan(plan: Plan, { faults, signal, resume, ranks, executor }: OpenOptions): AsyncIterable<Chunk> {
  const { source, epoch } = plan;
  const length = executor === undefined ? 0 : splitPlan(plan).length;
  const { segments, skip, type } =
    executor === undefined || length === 0 ? wholePlan(plan) : restOfPlan(plan, length, executor);
  const request = { interleave: interleaveOf(segments, epoch), faults, signal };
  const context = { epoch, faults, signal };
  const read = (from: number): AsyncIterable<Chunk> => {
    if (skip > 0) return readLanes(executor!, { plan, length, ...request, from, ranks, output: type });
    const whole = { ...request, from, share: wholeShare };
    return isShared(ranks, resume) ? readShare(source, whole, ranks) : source.read(whole);
  };
  /** What is left of the stages, behind the lanes. */
  const rest = (): readonly Segment[] =>
    segments.map((segment, i) => (i > 0 ? segment : { ...segment, steps: segment.steps.slice(skip) }));
  if (isShared(ranks, resume)) {
    checkRanks(segments, ranks);
    const before = resume === undefined ? [] : deliveredBy(resume);
    const shift = segments.slice(1).reduce((sum, { countFrom }) => sum + countFrom, 0);
    const delivered = new Delivered(before, segments.at(-1)!.steps.at(-1)?.order, shift);
    const from = delivered.start;
    const shared = { delivered: before.length === 0 ? undefined : delivered };
    return connect(from === Infinity ? none() : read(from), rest(), type, { ...context, resume: undefined, shared });
  }
  const progress = resume?.progress ?? undefined;
  let first = progress;
  for (let i = 1; i < segments.length; i++) first = first?.before;
  if (resume !== undefined && resume.segments !== segments.length) {
    throw new PipelineError(
      "CHECKPOINT_MISMATCH",
      "Cannot resume: the checkpoint has another number of counting operators",
    );
  }
  return connect(read(first?.start ?? 0), rest(), type, { ...context, resume: progress });
}

/** The stages of a plan; `skip` of the first are done in lanes, and `type` is that of the rows behind those. */
interface Stages {
  readonly segments: readonly Segment[];
  readonly skip: number;
  readonly type: AnySampleType | undefined;
}

/** All stages of a plan, as the calling thread or one lane runs them. */
function wholePlan(plan: Plan): Stages {
  const specs = [...plan.operators];
  const decoding = decodingOf(plan);
  if (decoding !== undefined) specs.splice(decoding.at, 0, decodeSpec(plan.source, decoding));
  return { segments: segmentsOf(specs, plan.epoch), skip: 0, type: plan.source.type };
}

/** All stages too, numbered alike; what comes from the lanes may have to be decoded once more. */
function restOfPlan(plan: Plan, length: number, executor: Executor): Stages {
  const first = { ...plan, operators: plan.operators.slice(0, length) };
  const type = typeOfPlan(first);
  const decoder = type && executor.decoder?.(type);
  // Only to be decoded: it is read by the lanes.
  const source = { name: "lanes", type, decoder } as Source;
  const operators = plan.operators.slice(length);
  const rest = [...operators];
  const decoding = decodingOf({ ...plan, source, operators });
  if (decoding !== undefined) rest.splice(decoding.at, 0, { ...decodeSpec(source, decoding), tuning: true });
  const own = decodingOf(first);
  const specs = own === undefined ? first.operators : [decodeSpec(plan.source, own), ...first.operators];
  return { segments: segmentsOf([...specs, ...rest], plan.epoch), skip: specs.length, type };
}

const decodeSpec = (source: Source, decoding: Decoding): OperatorSpec => ({
  name: "decode",
  works: "records",
  open: ({ faults }) => source.decoder!.open({ ...decoding, faults }),
});

interface LanesRequest extends Omit<SourceRequest, "share"> {
  readonly plan: Plan;
  /** How many operators belong to the lanes. */
  readonly length: number;
  readonly ranks: Ranks;
  readonly output: AnySampleType | undefined;
}

async function* readLanes(executor: Executor, request: LanesRequest): AsyncGenerator<Chunk> {
  const { plan, length, ranks, output, from, interleave = null, faults } = request;
  const lane: Lane = {
    source: await plan.source.address!(),
    operators: plan.operators.slice(0, length).map(({ name, address }) => ({ name, ...address! })),
    output: output === undefined ? null : typeToJson(output),
    epoch: plan.epoch,
    interleave,
    from,
    ranks,
    raises: faults.raises,
  };
  yield* runLanes(executor, lane, request);
}

/** One lane at work: what an executor runs elsewhere. */
export function openLane(
  plan: Plan,
  lane: Lane,
  part: Part,
  context: Pick<OpenOptions, "faults" | "signal">,
): AsyncIterable<Chunk> {
  const { from, interleave, ranks, epoch } = lane;
  const request = { from, interleave: interleave ?? undefined, share: wholeShare, ...context };
  const isWhole = part.of === 1 && ranks.worldSize === 1;
  const chunks = isWhole ? plan.source.read(request) : readShare(plan.source, request, ranks, part);
  const { segments, type } = wholePlan(plan);
  return connect(chunks, segments, type, { epoch, ...context, resume: undefined });
}

async function* none(): AsyncGenerator<Chunk> {}

/** Whether several ranks take part: in this run, or in one that it goes on from. */
export function isShared(ranks: Ranks, resume: Checkpoint | undefined): boolean {
  return ranks.worldSize > 1 || (resume?.worldSize ?? 1) > 1 || resume?.delivered !== undefined;
}

/** A windowed shuffle in the first segment has the source read its shards in a seeded order, whatever stands before it. */
function interleaveOf([first]: readonly Segment[], epoch: number): { seed: number; epoch: number } | undefined {
  const shuffle = first!.steps.find(({ spec }) => spec.role === "shuffle")?.spec.shuffle;
  return shuffle === undefined ? undefined : { seed: shuffle.seed, epoch };
}
