/** Parts of a run that few runs have, loaded when one does. See "What is loaded at first" in docs/decisions.md. */
export { SavedRun } from "./saved-run.ts";
export { forecastShuffle } from "./shuffle-forecast.ts";
