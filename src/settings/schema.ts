/** The shape of the config file: every key with its form, its default and the sentence that explains it. */
import { validate as isCronExpression } from "node-cron";
import * as z from "zod";
import { isLoopbackHost } from "../runtime/loopback.js";
import {
  flag,
  isTakeProfitDistance,
  listOf,
  mapping,
  milliseconds,
  oneOf,
  PERCENT_OR_MULTIPLE,
  percent,
  text,
  url,
} from "./forms.js";

/** Keys that a later version will fill; using one now would silently do nothing. */
export const RESERVED_KEYS: readonly string[] = ["notify", "fleet", "preset"];

/** As bybit-api spells them in `apiRegion`. */
const REGIONS = ["default", "bytick", "NL", "TK", "KZ", "HK", "GE", "UAE", "EU", "ID", "JP"] as const;

const STOP_DISTANCE = "a percentage above 0% and below 100%, such as 2%";
const TAKE_PROFIT_DISTANCE =
  "a percentage above 0% and below 100%, such as 4%, or a multiple of the stop's, such as 2R";
const SECRET_FORMS = "${NAME} for an environment variable, or file:PATH";

const fields = {
  mode: oneOf(["report-only", "create-only", "tighten-only", "sync"]).describe(
    "What may be written: nothing; only missing exits; also a stop that is too wide; also a take-profit. None loosens.",
  ),
  stopDistance: percent(STOP_DISTANCE).describe("Distance of the stop from the average entry price."),
  takeProfitDistance: text(TAKE_PROFIT_DISTANCE)
    .regex(PERCENT_OR_MULTIPLE, { error: TAKE_PROFIT_DISTANCE })
    .refine(isTakeProfitDistance, { error: TAKE_PROFIT_DISTANCE })
    .describe("Distance from the average entry price, or a multiple of the stop's distance (2R)."),
  triggerBy: oneOf(["LastPrice", "MarkPrice", "IndexPrice"]).describe("The price that triggers the exit."),
  pastStop: oneOf(["rebase", "nearest", "close", "alert"]).describe(
    "When a position without a stop is already past the wanted one: measure from the mark, tightest stop, close, tell.",
  ),
  pastTakeProfit: oneOf(["skip", "nearest", "close"]).describe("When the mark is already past the wanted take-profit."),
  liquidationBuffer: percent("a percentage from 0% to below 100%, such as 0.5%", "zero").describe(
    "How far inside the liquidation price a stop is kept.",
  ),
  onScaleIn: oneOf(["keep", "tighten"]).describe("What happens to a standing stop when size is added."),
  onDrift: oneOf(["restore", "alert"]).describe("What happens when another hand moved a stop looser."),
  hedged: oneOf(["protect", "alert", "ignore"]).describe("How legs that offset each other are treated."),
  attachToOrders: flag().describe("Give resting entry orders their exits before they fill."),
  graceMs: milliseconds().describe("How long a bot may take to set its own stop after a fill."),
  vanishMs: milliseconds().describe("How long a stop may be gone before it is put back."),
};

const protection = mapping("the wanted protection", {
  mode: fields.mode.default("create-only"),
  stopLoss: mapping("the wanted stop-loss", {
    distance: fields.stopDistance,
    triggerBy: fields.triggerBy.default("MarkPrice"),
  })
    .nullish()
    .describe("Required unless mode is report-only: there is no built-in distance."),
  takeProfit: mapping("the wanted take-profit", {
    distance: fields.takeProfitDistance,
    triggerBy: fields.triggerBy.default("LastPrice"),
  })
    .nullish()
    .describe("Absent or null: none is wanted."),
  pastStop: fields.pastStop.default("rebase"),
  pastTakeProfit: fields.pastTakeProfit.default("skip"),
  liquidationBuffer: fields.liquidationBuffer.default("0.5%"),
  onScaleIn: fields.onScaleIn.default("keep"),
  onDrift: fields.onDrift.default("restore"),
  hedged: fields.hedged.default("protect"),
  attachToOrders: fields.attachToOrders.default(false),
  graceMs: fields.graceMs.default(0),
  vanishMs: fields.vanishMs.default(5000),
});

const rule = mapping("a rule", {
  match: mapping("what the rule applies to", {
    symbol: text("a symbol or a glob such as BTC*").optional().describe("Symbol or glob; absent matches all."),
    account: text("an account name or a glob").optional().describe("Account name or glob; absent matches all."),
    side: oneOf(["long", "short"]).optional().describe("Absent matches both sides."),
    category: oneOf(["linear", "inverse"]).optional().describe("Absent matches both categories."),
  }).describe("Which positions the rule speaks of; an empty mapping matches all."),
  ignore: flag().optional().describe("True: these positions are left alone and listed as ignored."),
  mode: fields.mode.optional(),
  stopLoss: mapping("the rule's stop-loss", {
    distance: fields.stopDistance.optional(),
    triggerBy: fields.triggerBy.optional(),
  })
    .nullish()
    .describe("Overrides only what it names; null is allowed only with report-only."),
  takeProfit: mapping("the rule's take-profit", {
    distance: fields.takeProfitDistance.optional(),
    triggerBy: fields.triggerBy.optional(),
  })
    .nullish()
    .describe("Overrides only what it names; null: none is wanted here."),
  pastStop: fields.pastStop.optional(),
  pastTakeProfit: fields.pastTakeProfit.optional(),
  liquidationBuffer: fields.liquidationBuffer.optional(),
  onScaleIn: fields.onScaleIn.optional(),
  onDrift: fields.onDrift.optional(),
  hedged: fields.hedged.optional(),
  attachToOrders: fields.attachToOrders.optional(),
  graceMs: fields.graceMs.optional(),
  vanishMs: fields.vanishMs.optional(),
});

const NAME = "1 to 32 of a-z, 0-9 and -";
const CATEGORIES = "linear and inverse, each once, at least one";
const WITHDRAW = "rights of a Bybit key, such as AccountTransfer; Withdraw is never accepted";

const account = mapping("an account", {
  name: text(NAME)
    .regex(/^[a-z0-9-]{1,32}$/, { error: NAME })
    .describe("How reports and commands call the account; unique."),
  environment: oneOf(["mainnet", "testnet", "demo", "custom"]).describe("Which exchange; custom needs both URLs."),
  region: oneOf(REGIONS).default("default").describe("The regional host, as bybit-api's apiRegion."),
  restUrl: url(["http:", "https:"], "http://127.0.0.1:18090").optional().describe("With environment custom only."),
  wsUrl: url(["ws:", "wss:"], "ws://127.0.0.1:18090/v5/private").optional().describe("With environment custom only."),
  key: text(SECRET_FORMS).describe("API key: ${NAME} or file:PATH; a literal only with environment custom."),
  secret: text(SECRET_FORMS).describe("API secret: ${NAME} or file:PATH; a literal only with environment custom."),
  categories: listOf(oneOf(["linear", "inverse"]), "linear and inverse")
    .min(1, { error: CATEGORIES })
    .refine((list) => new Set(list).size === list.length, { error: CATEGORIES })
    .default(["linear", "inverse"])
    .describe("Contract families to look at."),
  allowPermissions: listOf(
    text(WITHDRAW).refine((right) => right.toLowerCase() !== "withdraw", { error: WITHDRAW }),
    "extra key rights",
  )
    .default([])
    .describe("Extra rights of the key that are accepted by name; never Withdraw."),
  copyTradingMaster: flag()
    .default(false)
    .describe("A copy-trading master's exits close its followers too: report-only until this is true."),
});

const CRON_FIELDS = 6;
const CRON = 'a cron line, seconds first, such as "*/30 * * * * *"';
const WRITES = "a number above 0, at most 10 (the exchange's limit)";
const LOOPBACK =
  "127.0.0.1, localhost or ::1; there is no TLS, so any other address needs http.allowRemote: true, and a tunnel or " +
  "a proxy with TLS before it";
const PORT = "a port from 0 to 65535";

export const accountSchema = account;
export const protectionSchema = protection;
export const ruleSchema = rule;

export const configSchema = mapping("the config", {
  accounts: listOf(account, "accounts")
    .min(1, { error: "at least one account" })
    .describe("The Bybit accounts to guard."),
  scope: oneOf(["all", "listed"])
    .default("all")
    .describe("With listed, only positions that a rule matches are written."),
  protection: protection.prefault({}).describe("What every position gets unless a rule says otherwise."),
  rules: listOf(rule, "rules").default([]).describe("First match wins; each overrides only what it names."),
  sweep: mapping("the sweep", {
    cron: text(CRON)
      .refine((line) => line.trim().split(/\s+/).length === CRON_FIELDS && isCronExpression(line), { error: CRON })
      .default("*/30 * * * * *")
      .describe("When all positions are looked at, as a cron line with seconds first."),
  })
    .prefault({})
    .describe("How often everything is checked while running."),
  budget: mapping("the request budget", {
    writesPerSecond: z
      .number({ error: WRITES })
      .gt(0, { error: WRITES })
      .lte(10, { error: WRITES })
      .default(9)
      .describe("Writes per second and account; the rest of the exchange's 10 stays with the bot."),
    ipShare: percent("a percentage above 0% and below 100%, such as 50%")
      .default("50%")
      .describe("Share of the exchange's request limit per address."),
  })
    .prefault({})
    .describe("What is left for the bot on the same account and address."),
  ledger: mapping("the ledger", {
    url: text("file:PATH or postgres://…")
      .refine((candidate) => /^(file:.|postgres(ql)?:\/\/.)/.test(candidate), { error: "file:PATH or postgres://…" })
      .default("file:state/backstop.db")
      .describe("Embedded SQLite (file:PATH), or postgres://… for several machines."),
  })
    .prefault({})
    .describe("Where history and intents are kept."),
  intents: mapping("the intents file", { file: text("a path").describe("JSON file that a bot may write.") })
    .optional()
    .describe("Watched, for bots that can only write files."),
  http: mapping("the server", {
    host: text("a host name or address").default("127.0.0.1").describe("Address to listen on; loopback by default."),
    port: z
      .int({ error: PORT })
      .min(0, { error: PORT })
      .max(65_535, { error: PORT })
      .default(8787)
      .describe("Port to listen on."),
    tokenFile: text("a path").default("state/token").describe("Holds the bearer token; made when absent."),
    allowRemote: flag()
      .optional()
      .describe(
        "True: host may be an address that other machines reach, without TLS: put a tunnel or proxy before it.",
      ),
  })
    .refine(({ host, allowRemote }) => isLoopbackHost(host) || allowRemote === true, {
      path: ["host"],
      error: LOOPBACK,
    })
    .optional()
    .describe("The HTTP API; absent: no server."),
  heartbeat: mapping("the heartbeat", {
    url: url(["http:", "https:"], "https://hc.example.com/ping/name").describe("Pinged after each complete pass."),
  })
    .optional()
    .describe("Tells a watchdog that passes complete."),
  $schema: text("the place of the JSON Schema").optional().describe("For editors; it changes nothing here."),
});

/** The config as it is written: what has a default may be left out. */
export type Config = z.input<typeof configSchema>;
export type ConfigDocument = z.infer<typeof configSchema>;
export type AccountDocument = z.infer<typeof account>;
export type ProtectionDocument = z.infer<typeof protection>;
export type RuleDocument = z.infer<typeof rule>;

/** JSON Schema (draft 2020-12) of the file as a person writes it: keys with a default may be left out. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, { io: "input", target: "draft-2020-12" });
  return { ...schema, title: "bybit-backstop config", description: "Config file of bybit-backstop (YAML or JSON)." };
}
