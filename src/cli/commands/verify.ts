import type { Command } from "commander";
import { addReadOptions, type ReadOptions, readSchema } from "../arguments.ts";
import { counted, passShards, printProblems, type ShardReport } from "../passes.ts";
import type { Session } from "../program.ts";
import { openSamples } from "../samples.ts";

export function addVerify(root: Command, session: Session): void {
  const command = root
    .command("verify <dataset>")
    .description(
      "check that every shard is complete and every sample decodes; goes on behind what is wrong, and lists it",
    )
    .addHelpText("after", '\nExample:\n  shardstream verify "train-{000000..000009}.tar" --schema photo.json')
    .action((dataset: string, options: ReadOptions) => verify(dataset, options, session));
  addReadOptions(command);
}

async function verify(pattern: string, options: ReadOptions, session: Session): Promise<void> {
  const { terminal } = session;
  const samples = await openSamples(pattern, options, await readSchema(options.schema));
  const reports: ShardReport[] = [];
  for await (const report of passShards(samples.fields(), session)) {
    reports.push(report);
    if (options.json !== true) await printProblems(report, terminal);
  }
  const found = reports.reduce((sum, { problems, moreProblems }) => sum + problems.length + moreProblems, 0);
  const total = reports.reduce((sum, { samples }) => sum + samples, 0);
  session.foundProblem = found > 0;
  if (options.json === true) {
    const shards = reports.map(({ shard, samples, problems, moreProblems }) => {
      return { shard, ok: problems.length === 0, samples, ...(moreProblems > 0 && { moreProblems }) };
    });
    const [problems, warnings] = [
      reports.flatMap(({ problems }) => problems),
      reports.flatMap(({ warnings }) => warnings),
    ];
    await terminal.print(JSON.stringify({ ok: found === 0, shards, samples: total, problems, warnings }, null, 2));
  } else {
    const verdict = found === 0 ? "all is well" : found === 1 ? "1 problem" : `${found} problems`;
    await terminal.print(`${verdict}: ${counted(total, "sample")} in ${counted(reports.length, "shard")}`);
  }
}
