import { PipelineError } from "../errors.ts";
import type { AnySampleType } from "../schema/sample.ts";
import { connect, type Segment, segmentsOf } from "./chain.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Chunk } from "./chunk.ts";
import type { Faults } from "./faults.ts";
import { forgetInputs, keepInputs, mayFail } from "./inputs.ts";
import type { Json, OperatorSpec } from "./operator.ts";
import type { Meter } from "./progress.ts";
import { wholeShare } from "./share.ts";
import type { DecodeRequest, Source } from "./source.ts";
import type { StageClock } from "./timings.ts";

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
    operators: operators.map(({ name, options = null }) => [name, options]),
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
  readonly meter?: Meter | undefined;
  readonly clock?: StageClock | undefined;
}

/** Starts a pass: the chunks that come out of the last operator. Nothing is opened before the first is asked for. */
export function openPlan(plan: Plan, { faults, signal, resume, meter, clock }: OpenOptions): AsyncIterable<Chunk> {
  const { source, operators, epoch } = plan;
  const decoding = decodingOf(plan);
  const specs = [...operators];
  const { keepsInputs } = faults;
  // Behind the last stage that may fail nobody asks for what rows were made of.
  const failsUpTo = operators.findLastIndex(mayFail) + 1;
  const keep = keepInputs(failsUpTo <= (decoding?.at ?? 0));
  const forgetAt = Math.max(failsUpTo, decoding?.at ?? 0);
  if (keepsInputs && forgetAt < operators.length) {
    specs.splice(forgetAt, 0, { name: "forget", works: "records", open: () => forgetInputs });
  }
  if (decoding !== undefined) {
    specs.splice(decoding.at, 0, {
      name: "decode",
      works: "records",
      open: ({ faults }) => {
        const decode = source.decoder!.open({ ...decoding, faults });
        return keepsInputs ? (chunks) => decode(keep(chunks)) : decode;
      },
    });
  }
  const segments = segmentsOf(specs, epoch);
  const progress = resume?.progress ?? undefined;
  let first = progress;
  for (let i = 1; i < segments.length; i++) first = first?.before;
  if (resume !== undefined && resume.segments !== segments.length) {
    throw new PipelineError(
      "CHECKPOINT_MISMATCH",
      "Cannot resume: the checkpoint has another number of counting operators",
    );
  }
  const read = source.read({
    from: first?.start ?? 0,
    share: wholeShare,
    interleave: interleaveOf(segments, epoch),
    faults,
    signal,
    meter,
  });
  const kept = keepsInputs && decoding === undefined ? keep(read) : read;
  const chunks = clock === undefined ? kept : clock.time(source.name, kept);
  return connect(chunks, segments, source.type, { epoch, faults, signal, resume: progress, clock });
}

/** A windowed shuffle in the first segment has the source read its shards in a seeded order, whatever stands before it. */
function interleaveOf([first]: readonly Segment[], epoch: number): { seed: number; epoch: number } | undefined {
  const shuffle = first!.steps.find(({ spec }) => spec.role === "shuffle")?.spec.shuffle;
  return shuffle === undefined ? undefined : { seed: shuffle.seed, epoch };
}
