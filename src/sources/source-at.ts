import { type SampleTypeJson, typeFromJson } from "../schema/type-json.ts";
import type { Json } from "../streams/operator.ts";
import type { Source } from "../streams/source.ts";
import { JsonLinesSource } from "./json-lines.ts";
import { type SamplesAs, type ShardOptions, ShardSource } from "./shards.ts";

interface SourceAddress {
  readonly source: string;
  readonly shards: readonly string[];
  readonly type: SampleTypeJson | null;
  readonly options?: ShardOptions;
  readonly reads?: SamplesAs;
}

/** The source at an address: see {@link Source.address}. */
export function sourceAt(address: Json): Source {
  const { source, shards, type: given, options = {}, reads } = address as unknown as SourceAddress;
  const type = given === null ? undefined : typeFromJson(given);
  if (source === "shards") return new ShardSource(shards, type, options, reads);
  if (source === "jsonLines") return new JsonLinesSource(shards, type);
  throw new TypeError(`Cannot open a source: none is called "${source}"`);
}
