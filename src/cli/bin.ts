#!/usr/bin/env node
/** The program `backstop`: arguments in, exit code out. */
import { runCli } from "./main.js";

process.exitCode = await runCli(process.argv.slice(2));
