/** `backstop probe`: asks a test exchange what its documents leave open, with tiny positions that it closes again. */
import { ExchangeFailure } from "../exchange/failure.js";
import type { KeyInfo } from "../exchange/port.js";
import { readOnlyReason } from "../ledger/readonly.js";
import { isLoopbackUrl, scrubValue, systemClock } from "../runtime/index.js";
import type { AccountSettings } from "../settings/index.js";
import { readKey } from "../service/accounts.js";
import { type Connected, connectOne } from "../service/connect.js";
import { refuseOpenWindows } from "../service/open-windows.js";
import type { Console } from "./console.js";
import { type CommonOptions, type Context, openContext } from "./context.js";
import { onCrash } from "./crash.js";
import { Refusal } from "./exit.js";
import { type Bench, createBench, type Patience } from "./probe/bench.js";
import type { Clearing } from "./probe/clearing.js";
import { chooseContract, MOST_UNITS, type ProbeContract } from "./probe/contract.js";
import { leftLines, probeExitCode, type ProbeFormat, renderFindings } from "./probe/findings.js";
import { probeHost, refuseStranger } from "./probe/host.js";
import { askAll, EXPERIMENTS, type Rounds } from "./probe/rounds.js";
import { openWire, textIn, type Wire } from "./probe/wire.js";
import { refuseStrongKey } from "../service/key-rights.js";

export interface ProbeOptions extends CommonOptions {
  /** Absent: the smallest contract that is flat. */
  readonly symbol?: string;
  readonly yes: boolean;
  readonly format?: ProbeFormat;
  readonly version: string;
}

/** A simulator has no lags of its own; a real exchange takes effect some time after it answered. */
const AT_ONCE: Patience = { stepMs: 20, waitMs: 2_000, calmMs: 50, clearMs: 12_000 };
const LIKE_A_REAL_ONE: Patience = { stepMs: 200, waitMs: 8_000, calmMs: 1_500, clearMs: 60_000 };
/** Half of what a real exchange allows: a bot may share the account. A simulated one tells how long to wait. */
const WRITES_PER_SECOND = { real: 5, simulated: 40 } as const;

export async function probe(options: ProbeOptions, console: Console): Promise<number> {
  const context = await openContext(options, console);
  const account = onlyAccount(context.settings.accounts);
  const url = probeHost(account);
  refuseWithoutConsent(options, console);
  refuseOpenWindows(account);
  await refuseStranger(url);
  // Whatever the environment is called: the address that was judged is the one that is used.
  const locked = { ...account, environment: "custom", region: "default", restUrl: url } as const;
  const connected = connectOne(locked, context, "read", {});
  const writesPerSecond = WRITES_PER_SECOND[isLoopbackUrl(url) ? "simulated" : "real"];
  const wire = openWire({ url, key: account.key, secret: account.secret, writesPerSecond, log: context.log });
  try {
    const key = await keyOf(connected, context);
    return await orRefusal(() => probeWith({ options, context, account, url, wire, key }));
  } finally {
    await Promise.all([connected.session.close(), wire.close()]);
  }
}

interface Ready {
  readonly options: ProbeOptions;
  readonly context: Context;
  readonly account: AccountSettings;
  readonly url: string;
  readonly wire: Wire;
  readonly key: KeyInfo;
}

async function probeWith(ready: Ready): Promise<number> {
  const { options, context, account, url, wire, key } = ready;
  const { console } = context;
  const contract = await chooseContract(wire, options.symbol);
  const held = heldReason(context, account, contract);
  if (held !== null) throw new Refusal(`account ${account.name}: ${held}`);
  if (!(await isAgreed(options, console, { contract, url }))) return 0;
  const marginMode = await marginModeOf(wire);
  const stop = interruption(console);
  const patience = isLoopbackUrl(url) ? AT_ONCE : LIKE_A_REAL_ONE;
  const parts = {
    sleep: (ms: number) => systemClock.sleep(ms),
    monotonicMs: () => systemClock.monotonicMs(),
    stopped: () => stop.reason() ?? heldReason(context, account, contract),
  };
  const bench = createBench({ wire, contract, patience, rights: key.permissions, ...parts });
  const rounds = await ask(bench, { ...parts, patience, console });
  const { environment } = account;
  if (environment === "mainnet") throw new RangeError("the probe has no business on mainnet");
  const generatedAt = new Date(systemClock.now()).toISOString();
  const ground = { generatedAt, version: options.version, environment, url, contract, marginMode };
  const format = options.format ?? (console.outIsTerminal ? "table" : "json");
  console.out(renderFindings({ ...ground, ...scrubValue(rounds) }, format));
  stop.over();
  return probeExitCode(rounds);
}

interface Asking extends Clearing {
  readonly console: Console;
  readonly stopped: () => string | null;
}

function ask(bench: Bench, { console, ...parts }: Asking): Promise<Rounds> {
  return askAll(EXPERIMENTS, {
    bench,
    ...parts,
    progress: (text) => console.progress(text),
    leftBehind: (left) => {
      const cure = "Look at this contract of the test account and close what is there: nothing guards it.";
      console.err(`${[...leftLines({ left }), cure].join("\n")}\n`);
    },
  });
}

function onlyAccount(accounts: readonly AccountSettings[]): AccountSettings {
  const [account, second] = accounts;
  if (account !== undefined && second === undefined) return account;
  const names = accounts.map(({ name }) => name).join(", ");
  throw new Refusal(`the probe works in one account; allowed: --account with one of ${names}.`);
}

/** Unlike protect, which a cron line starts: nothing opens a position without somebody having said so. */
function refuseWithoutConsent({ yes }: ProbeOptions, { isInteractive }: Console): void {
  if (yes || isInteractive) return;
  throw new Refusal("the probe opens positions and asks before it does, which needs a terminal; allowed: --yes.");
}

async function isAgreed(
  { yes }: ProbeOptions,
  console: Console,
  { contract, url }: { readonly contract: ProbeContract; readonly url: string },
): Promise<boolean> {
  const worth = contract.unitNotional.times(MOST_UNITS).toFixed(2);
  console.err(
    `At ${url}, ${EXPERIMENTS.length} questions are asked with positions of at most ${worth} USDT in ${contract.symbol}, ` +
      "each closed again. Nothing else may trade this contract meanwhile, backstop included.\n",
  );
  if (yes || (await console.ask("Go on? [y/N] "))) return true;
  console.err("Nothing was sent.\n");
  return false;
}

async function keyOf(connected: Connected, { log }: Context): Promise<KeyInfo> {
  const key = await readKey(connected);
  if (key instanceof ExchangeFailure) throw new Refusal(`account ${connected.account.name}: ${key.message}`, 1);
  refuseStrongKey(connected, key, log);
  if (!key.readOnly) return key;
  throw new Refusal(
    `account ${connected.account.name}: the key may only read, and the probe opens positions; ` +
      "allowed: a key of the test account with Contract Orders and Positions.",
  );
}

/** What stops all writes stops the probe as well. */
function heldReason({ settings, pauses }: Context, { name }: AccountSettings, contract: ProbeContract): string | null {
  const { symbol, positionIdx } = contract;
  const key = { account: name, category: "linear", symbol, positionIdx } as const;
  return readOnlyReason(settings.stateDir, process.env) ?? pauses.reasonFor(key, systemClock.now());
}

async function marginModeOf(wire: Wire): Promise<string> {
  const info = await wire.get("/v5/account/info", {});
  return info.accepted ? textIn(info.result, "marginMode") : "";
}

interface Interruption {
  reason(): string | null;
  /** @throws the mistake of ours that it was, if it was one */
  over(): void;
}

/** The first signal, or mistake of ours, ends the questions and clears up; the next one ends the program as it is. */
function interruption(console: Console): Interruption {
  let reason: string | null = null;
  let mistake: { readonly error: unknown } | null = null;
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const hear = (): void => {
    reason = "not asked: the probe was interrupted";
    deaf();
    console.err("Closing what was opened; once more ends the program at once and leaves it there.\n");
  };
  const giveBack = onCrash((error) => {
    mistake = { error };
    hear();
  });
  const deaf = (): void => {
    giveBack();
    for (const signal of signals) process.off(signal, hear);
  };
  for (const signal of signals) process.on(signal, hear);
  const over = (): void => {
    deaf();
    if (mistake !== null) throw mistake.error;
  };
  return { reason: () => reason, over };
}

async function orRefusal<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ExchangeFailure) throw new Refusal(error.message, 1);
    throw error;
  }
}
