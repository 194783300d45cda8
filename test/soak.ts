import process from "node:process";

/** How many random cases a property runs: a tenth of them in `npm test`, all in `npm run soak`. */
export function soakRuns(inTest: number): number {
  return process.env.SHARDSTREAM_SOAK === undefined ? inTest : inTest * 10;
}
