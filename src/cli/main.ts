#!/usr/bin/env node
import { INTERRUPTED, runCommand } from "./program.ts";

process.exitCode = await runCommand(process.argv.slice(2));
// Whatever still waits for input would keep an interrupted command alive.
if (process.exitCode === INTERRUPTED) process.exit();
