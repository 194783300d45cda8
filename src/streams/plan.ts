import { PipelineError } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import type { Budget } from "./budget.ts";
import { connect, type Segment, segmentsOf } from "./chain.ts";
import { type Checkpoint, deliveredBy } from "./checkpoint.ts";
import type { Chunk } from "./chunk.ts";
import { Delivered } from "./delivered.ts";
import type { Faults } from "./faults.ts";
import type { Json, OperatorSpec } from "./operator.ts";
import { checkRanks, type Ranks, readShare } from "./ranks.ts";
import { wholeShare } from "./share.ts";
import type { DecodeRequest, Source } from "./source.ts";

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
  readonly budget?: Budget | undefined;
  readonly resume: Checkpoint | undefined;
  readonly ranks: Ranks;
}

/** Starts a pass: the chunks that come out of the last operator. Nothing is opened before the first is asked for. */
export function openPlan(plan: Plan, { faults, signal, budget, resume, ranks }: OpenOptions): AsyncIterable<Chunk> {
  const { source, operators, epoch } = plan;
  const decoding = decodingOf(plan);
  const specs = [...operators];
  if (decoding !== undefined) {
    specs.splice(decoding.at, 0, {
      name: "decode",
      works: "records",
      open: ({ faults }) => source.decoder!.open({ ...decoding, faults, budget }),
    });
  }
  const segments = segmentsOf(specs, epoch);
  const request = { interleave: interleaveOf(segments, epoch), faults, signal, budget };
  const context = { epoch, faults, signal, budget };
  if (isShared(ranks, resume)) {
    checkRanks(segments, ranks);
    const before = resume === undefined ? [] : deliveredBy(resume);
    const shift = segments.slice(1).reduce((sum, { countFrom }) => sum + countFrom, 0);
    const delivered = new Delivered(before, segments.at(-1)!.steps.at(-1)?.order, shift);
    const from = delivered.start;
    const chunks = from === Infinity ? none() : readShare(source, { ...request, from, share: wholeShare }, ranks);
    const shared = { delivered: before.length === 0 ? undefined : delivered };
    return connect(chunks, segments, source.type, { ...context, resume: undefined, shared });
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
  const chunks = source.read({ ...request, from: first?.start ?? 0, share: wholeShare });
  return connect(chunks, segments, source.type, { ...context, resume: progress });
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
