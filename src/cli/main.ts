/** The commands and options of `backstop`, each wired to the rooms that do the work. */
import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { FORMATS } from "../report/index.js";
import { keepInspectorShut, keepNewFilesPrivate, LOG_LEVELS, type LogLevel } from "../runtime/index.js";
import { StartRefused } from "../service/refused.js";
import { type Console, processConsole } from "./console.js";
import { onCrash } from "./crash.js";
import { Refusal, USAGE } from "./exit.js";
import { addIntentCommands } from "./intent-commands.js";
import { behindCommand } from "./leading.js";
import {
  contractSymbol,
  durationMs,
  each,
  eachKind,
  eachSymbol,
  portNumber,
  reasonText,
  wholeNumber,
} from "./values.js";

const PROBE_FORMATS = ["table", "markdown", "json"] as const;
const FAIL_ON = ["critical", "warning", "never"] as const;

/** Loaded when asked for: help and wrong usage need not wait for the exchange's SDK. */
const load = {
  audit: async () => (await import("./audit.js")).audit,
  protect: async () => (await import("./protect.js")).protect,
  run: async () => (await import("./run.js")).run,
  doctor: async () => (await import("./doctor.js")).doctor,
  init: async () => (await import("./init.js")).init,
  history: async () => (await import("./history.js")).history,
  pause: async () => (await import("./pause.js")).pause,
  resume: async () => (await import("./pause.js")).resume,
  jsonSchema: async () => (await import("../settings/index.js")).configJsonSchema,
  simulator: async () => (await import("./simulator.js")).simulator,
  demo: async () => (await import("./demo/story.js")).demo,
  probe: async () => (await import("./probe.js")).probe,
};

/** Runs one command to its end and answers with the exit code; never throws and never prints a stack trace. */
export async function runCli(args: readonly string[]): Promise<number> {
  keepNewFilesPrivate();
  const console = processConsole();
  keepInspectorShut((signal) => console.err(`backstop: ${signal} opens no debugger here\n`));
  onCrash((error) => process.exit(explain(error, console)));
  let exitCode = 0;
  const ends = (code: number) => {
    exitCode = code;
  };
  try {
    await program(console, ends).parseAsync([...behindCommand(args)], { from: "user" });
    return exitCode;
  } catch (error) {
    return explain(error, console);
  } finally {
    console.clearProgress();
  }
}

function explain(error: unknown, console: Console): number {
  // commander has already printed its own message; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  const message = error instanceof Error ? error.message : "an unknown error";
  if (error instanceof Refusal || error instanceof StartRefused) {
    console.err(`backstop: ${message}\n`);
    return error instanceof Refusal ? error.exitCode : USAGE;
  }
  console.err(`backstop: a bug: ${message}\n`);
  return 1;
}

function program(console: Console, ends: (code: number) => void): Command {
  const root = new Command("backstop")
    .description("Puts a stop-loss and take-profit behind every Bybit position, at the exchange, and proves it.")
    .version(version())
    .configureOutput({ writeOut: (text) => console.out(text), writeErr: (text) => console.err(text) })
    .exitOverride();
  const common = (name: string, description: string, logLevel: LogLevel = "warn") =>
    withCommon(root.command(name).description(description), logLevel);

  withReport(common("audit", "read every position and its protection, and report; never writes")).action(
    async (options) => ends(await (await load.audit())(options, console)),
  );
  withReport(common("protect", "one pass: audit, plan, apply, verify; asks first on a terminal"))
    .option("--dry-run", "plan and report, write nothing", false)
    .option("--yes", "do not ask", false)
    .action(async (options) => ends(await (await load.protect())(options, console)));
  common("run", "the sidecar: attach exits as positions open, sweep, until it is told to stop", "info")
    .option("--dry-run", "watch and report what would be sent, write nothing", false)
    .action(async (options) => ends(await (await load.run())(options, console)));
  common("doctor", "check config, key, clock and reachability, each with its cure").action(async (options) =>
    ends(await (await load.doctor())(options, console)),
  );
  common("init", "write a commented config that only reports, then show an audit").action(async (options) =>
    ends(await (await load.init())(options, console)),
  );
  withSymbol(common("history", "what was seen, intended, done and verified, from the ledger; needs no key"))
    .addOption(new Option("--format <format>", "default: table on a terminal, else json").choices(["table", "json"]))
    .option("--kind <kind>", "only this kind, or steps, lives, intents, findings; repeatable", eachKind)
    .option("--since <duration>", "only what is not older, such as 90s, 10m, 24h, 7d", durationMs)
    .option("--limit <number>", "the newest so many; 0: with --follow, only what comes", wholeNumber, 50)
    .option("--stops", "one line per stop ever set: why, by whom, and whether it was proven", false)
    .option("--follow", "the newest, then what comes, until interrupted", false)
    .action(async (options) => ends(await (await load.history())(options, console)));
  withSymbol(common("pause", "no writes for a while; audits and alerts go on"))
    .option("--for <duration>", "such as 90s, 10m, 2h, 1d; default: until resumed", durationMs)
    .option("--reason <text>", "shown beside every step that is held", reasonText)
    .action(async (options) => ends(await (await load.pause())(options, console)));
  withSymbol(common("resume", "end pauses: those of these accounts and symbols, else all")).action(async (options) =>
    ends(await (await load.resume())(options, console)),
  );
  common("probe", "ask a demo or testnet account what the exchange's documents leave open; opens tiny positions")
    .option("--symbol <symbol>", "the contract to work in; default: the smallest that is flat", contractSymbol)
    .option("--yes", "do not ask", false)
    .addOption(new Option("--format <format>", "default: table on a terminal, else json").choices(PROBE_FORMATS))
    .action(async (options) => ends(await (await load.probe())({ ...options, version: version() }, console)));
  addIntentCommands(root, (command, account) => withCommon(command, "warn", account), console, ends);
  root
    .command("schema")
    .description("print the JSON Schema of the config file")
    .action(async () => console.out(`${JSON.stringify((await load.jsonSchema())(), null, 2)}\n`));
  root
    .command("simulator")
    .description("run the simulated exchange as a server until it is interrupted")
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0 picks a free one", portNumber, 18090)
    .option("--seed <number>", "makes its random choices repeatable", wholeNumber, 1)
    .option("--latency <ms>", "a round trip; pushes take half of it", wholeNumber, 0)
    .action(async (options) => (await load.simulator())(options, console));
  root
    .command("demo")
    .description("the whole story in a minute, on a simulated exchange; leaves demo-report.html here")
    .action(async () => ends(await (await load.demo())(console)));
  return root;
}

function withCommon(command: Command, logLevel: LogLevel, account = "only this account; repeatable"): Command {
  return command
    .option("--config <file>", "config file; else $BACKSTOP_CONFIG, else config/backstop.yaml")
    .option("--account <name>", account, each)
    .addOption(new Option("--log-level <level>", "logs go to stderr").choices(LOG_LEVELS).default(logLevel));
}

function withSymbol(command: Command): Command {
  return command.option("--symbol <symbol>", "only this symbol, or a glob such as BTC*; repeatable", eachSymbol);
}

function withReport(command: Command): Command {
  return command
    .addOption(new Option("--format <format>", "default: table on a terminal, else json").choices(FORMATS))
    .option("--output <file>", "write the report to a file; - is stdout")
    .addOption(
      new Option("--fail-on <severity>", "exit 2 when a finding of this severity or worse is left")
        .choices(FAIL_ON)
        .default("warning"),
    );
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const isManifest = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isManifest ? String(manifest.version) : "unknown";
}
