import { PipelineError } from "../errors.ts";

/** The error for a shard in which something else stands than its index says. */
export function staleIndex(url: string, what = "a sample does not stand where the index says"): PipelineError {
  return new PipelineError("INDEX_STALE", `Cannot read "${url}" by its offset index: ${what}`, {
    url,
    hint: `the shard was written again since: run shardstream index "${url}"`,
  });
}
