/** The three commands of `backstop intent`, as the command line spells them. */
import { type Command, Option } from "commander";
import type { Console } from "./console.js";
import { contractSymbol, positionIdx, reasonText, waitingMs } from "./values.js";

const load = {
  set: async () => (await import("./intent.js")).intentSet,
  list: async () => (await import("./intent.js")).intentList,
  clear: async () => (await import("./intent.js")).intentClear,
};

const ONE_ACCOUNT = "the account; needed where the config has several";

/** `common` adds the options that every command has; `account` is what `--account` means. */
export function addIntentCommands(
  root: Command,
  common: (command: Command, account?: string) => Command,
  console: Console,
  ends: (code: number) => void,
): void {
  const intent = root.command("intent").description("the levels that a bot or a person wants for one position");
  withPlace(common(intent.command("set").description("ask for levels; the position need not be open yet"), ONE_ACCOUNT))
    .addOption(new Option("--side <side>", "the side that is meant").choices(["long", "short"]).makeOptionMandatory())
    .option("--stop-loss <price>", 'the wanted stop, or "none" for a waiver with --reason and --until')
    .option("--take-profit <price>", "the wanted take-profit")
    .option("--ttl <duration>", "how long it waits for the position to open; default 10m, at most 31d", waitingMs)
    .option("--order-link-id <id>", "only for the position that this order opens")
    .option("--allow-loosen", "the stop that stands may be moved away from the mark, once", false)
    .option("--reason <text>", "why there is to be no stop", reasonText)
    .option("--until <time>", "when the waiver ends, ISO 8601 such as 2026-01-31T12:00:00Z")
    .action(async (options) => ends(await (await load.set())(options, console)));
  common(intent.command("list").description("those that are pending or in force; needs no key"))
    .addOption(new Option("--format <format>", "default: table on a terminal, else json").choices(["table", "json"]))
    .action(async (options) => ends(await (await load.list())(options, console)));
  withPlace(
    common(
      intent.command("clear").description("end what is pending or in force for a position; needs no key"),
      ONE_ACCOUNT,
    ),
  ).action(async (options) => ends(await (await load.clear())(options, console)));
}

function withPlace(command: Command): Command {
  return command
    .requiredOption("--symbol <symbol>", "the contract, such as BTCUSDT", contractSymbol)
    .addOption(new Option("--category <category>", "its family").choices(["linear", "inverse"]).default("linear"))
    .option("--position-idx <index>", "0 one-way, 1 and 2 the legs of hedge mode", positionIdx, 0);
}
