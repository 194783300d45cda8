// Makes the Python environment of the interop tests, as `npm test` does before the suite runs on Node.
import { makePythonEnvironment } from "../test/interop/environment.ts";

const { python, reason } = await makePythonEnvironment();
console.log(python ?? `No Python for the interop tests: ${reason}`);
process.exitCode = python === undefined ? 1 : 0;
