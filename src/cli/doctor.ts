/** `backstop doctor`: one line per thing that can be wrong, each with its cure. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type AccountFinding,
  type AccountFindingCode,
  clockFindings,
  copyTradingFindings,
  disconnectFindings,
  excessRights,
  furtherRights,
  furtherText,
  keyFindings,
} from "../assess/account.js";
import { ExchangeFailure, type FailureCause } from "../exchange/failure.js";
import type { KeyInfo } from "../exchange/port.js";
import { type Pauses, pauseText } from "../ledger/pauses.js";
import { LedgerError } from "../ledger/port.js";
import { readLedger } from "../ledger/reading.js";
import { readOnlyReason } from "../ledger/readonly.js";
import { systemClock } from "../runtime/index.js";
import type { AccountSettings, Settings } from "../settings/index.js";
import { addressCure, exchangePlace } from "../service/address.js";
import { readKey } from "../service/accounts.js";
import { type Connected, connectAll } from "../service/connect.js";
import { streamTrouble } from "../service/stream-check.js";
import type { Console } from "./console.js";
import { type CommonOptions, type Context, openContext } from "./context.js";

interface Line {
  readonly mark: "ok" | "cure" | "note";
  readonly text: string;
}

const SOMETHING_TO_CURE = 2;

export async function doctor(options: CommonOptions, console: Console): Promise<number> {
  const context = await openContext(options, console);
  const connected = connectAll(context, "read");
  try {
    const accounts = await Promise.all(connected.map((one) => examine(one, context.settings)));
    const lines = [
      configLine(context.settings),
      ...warningLines(context.settings),
      ...(await stateLines(context)),
      ...accounts.flat(),
    ];
    for (const { mark, text } of lines) console.out(`${mark.padEnd(4)}  ${text}\n`);
    return lines.some(({ mark }) => mark === "cure") ? SOMETHING_TO_CURE : 0;
  } finally {
    await Promise.all(connected.map(({ session }) => session.close()));
  }
}

function configLine({ file, accounts, policy }: Settings): Line {
  const names = accounts.map(({ name, environment }) => `${name} (${environment})`).join(", ");
  return { mark: "ok", text: `config ${file}: mode ${policy.defaults.mode}, accounts ${names}` };
}

function warningLines({ file, warnings }: Settings): readonly Line[] {
  return warnings.map((warning) => ({ mark: "cure", text: `config ${file}: ${warning}` }));
}

async function stateLines({ settings, pauses }: Context): Promise<readonly Line[]> {
  const { stateDir, ledger } = settings;
  const frozen = readOnlyReason(stateDir, process.env);
  const switchLine: Line[] = frozen === null ? [] : [{ mark: "note", text: `read-only switch: ${frozen}` }];
  const folder: Line = (await canBeWritten(stateDir))
    ? { mark: "ok", text: `ledger folder ${stateDir}: can be written` }
    : {
        mark: "cure",
        text: `ledger folder ${stateDir}: cannot be written; give this user the right to, or set ledger.url`,
      };
  return [folder, await ledgerLine(ledger.url), ...(await lockLines(settings)), ...switchLine, ...pauseLines(pauses)];
}

/** Read only: what a doctor looks at stays as it is. */
async function ledgerLine(url: string): Promise<Line> {
  try {
    const reader = await readLedger(url);
    if (reader === null) return { mark: "ok", text: "ledger: none yet; the first protect or run makes it" };
    const [latest] = await reader.history({ limit: 1 });
    await reader.close();
    const last = latest === undefined ? "holds no entry yet" : `last entry ${new Date(latest.atMs).toISOString()}`;
    return { mark: "ok", text: `ledger: can be read, ${last}` };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return { mark: "cure", text: `ledger: ${[error.message, ...ledgerCure(error, url)].join("; ")}` };
  }
}

/** Where they cannot be taken, who writes cannot be told, and no intent is taken up. Never opened: that could let go of them. */
async function lockLines({ stateDir, ledger, accounts }: Settings): Promise<readonly Line[]> {
  if (!ledger.url.startsWith("file:")) return [];
  const folder = join(stateDir, "locks");
  const files = accounts.map(({ name }) => join(folder, `${name}.db`));
  const canBeTaken = await Promise.all([canBeWritten(folder), ...files.map(isWritableOrMissing)]);
  if (canBeTaken.every(Boolean)) return [];
  const text = `locks of the accounts in ${folder}: cannot be taken; give this user the folder and what is in it (chown -R)`;
  return [{ mark: "cure", text }];
}

async function isWritableOrMissing(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK | constants.W_OK);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}

/** Nothing where the message names it already. */
function ledgerCure({ trouble }: LedgerError, url: string): readonly string[] {
  const cure = (url.startsWith("file:") ? FILE_CURES : SERVER_CURES)[trouble];
  return cure === undefined ? [] : [cure];
}

type LedgerCures = Partial<Record<LedgerError["trouble"], string>>;
const BUSY = "end the program that holds it, or ask again in a moment";
const FILE_CURES: LedgerCures = {
  damaged: "move the file away, with -wal and -shm beside it, and keep it: the next protect or run makes a new one",
  refused: "give this user the right to read it, or mend ledger.url",
  full: "free disk space",
  busy: BUSY,
  other: "check the disk, the rights of the folder, and ledger.url",
};
const SERVER_CURES: LedgerCures = {
  damaged: "name another database in ledger.url, and keep this one: the next protect or run begins a new ledger there",
  unreachable: "start the server, or mend ledger.url",
  refused: "check user, password and database in ledger.url, and the rights of that user",
  full: "free disk space on the server",
  busy: BUSY,
  other: "check the server and its log, and ledger.url",
};

function pauseLines(pauses: Pauses): readonly Line[] {
  const damage = pauses.damage();
  if (damage !== null) return [{ mark: "cure", text: damage }];
  return pauses.all(systemClock.now()).map((pause) => ({ mark: "note", text: `paused: ${pauseText(pause)}` }));
}

/** A folder that is not there yet can be written where it can be made. */
async function canBeWritten(folder: string): Promise<boolean> {
  try {
    const found = await stat(folder);
    await access(folder, constants.W_OK | constants.X_OK);
    return found.isDirectory();
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isMissing && folder !== dirname(folder) && canBeWritten(dirname(folder));
  }
}

async function examine(one: Connected, { policy }: Settings): Promise<readonly Line[]> {
  const { name } = one.account;
  const [skew, key] = await Promise.all([clockLines(one), readKey(one)]);
  if (key instanceof ExchangeFailure)
    return [...skew, { mark: "cure", text: `${name}: key: ${key.message}; ${cureOf(key, one.account)}` }];
  const { allowPermissions } = one.account;
  const wantsToWrite =
    policy.defaults.mode !== "report-only" || policy.rules.some(({ overrides }) => writes(overrides.mode));
  const found = keyFindings(key, { allowed: allowPermissions, wantsToWrite, nowMs: systemClock.now() });
  const rights = Object.values(key.permissions).flat().join(", ") || "none";
  const verdict: Line =
    excessRights(key, allowPermissions).length === 0
      ? { mark: "ok", text: `${name}: key accepted${key.readOnly ? " (read-only)" : ""}; rights: ${rights}` }
      : { mark: "note", text: `${name}: key accepted by the exchange, but protect and run refuse it` };
  const further = furtherRights(key, allowPermissions);
  const notes: Line[] = further.length === 0 ? [] : [{ mark: "note", text: `${name}: ${furtherText(further)}` }];
  const cures = [...found.map(({ message }) => message), ...missingRights(key)];
  return [
    ...skew,
    verdict,
    ...notes,
    ...(await streamLines(one)),
    ...(await roleLines(one)),
    ...cures.map((text): Line => ({ mark: "cure", text: `${name}: ${text}` })),
  ];
}

/** What kind of account it is: a read of no contract brings nothing else. */
async function roleLines({ account, session }: Connected): Promise<readonly Line[]> {
  const { name, copyTradingMaster: isAccepted } = account;
  try {
    const { copyTradingMaster, disconnectProtection } = await session.reader.snapshot([]);
    const found = [...copyTradingFindings(copyTradingMaster, isAccepted), ...disconnectFindings(disconnectProtection)];
    const lines = found.map((finding): Line => ({ mark: "cure", text: `${name}: ${findingText(finding)}` }));
    if (copyTradingMaster !== "unread" || isAccepted) return lines;
    const unread = "whether this is a copy-trading master could not be read, so nothing would be written";
    return [...lines, { mark: "cure", text: `${name}: ${unread}; ask again in a moment` }];
  } catch (error) {
    if (!(error instanceof ExchangeFailure)) throw error;
    return [{ mark: "cure", text: `${name}: account: ${error.message}; ${cureOf(error, account)}` }];
  }
}

const ROLE_CURES: Partial<Record<AccountFindingCode, string>> = {
  "copy-trading-master": "set copyTradingMaster: true in the config if that is wanted, or use another account",
  "dcp-on": "switch it off for derivatives at the exchange, or have the exchange confirm that stops stay",
};

function findingText({ code, severity, message }: AccountFinding): string {
  return [`${code} (${severity}): ${message}`, ROLE_CURES[code]].join("; ");
}

/** Without an address of its own, as beside a simulator, there is nothing to look at. */
async function streamLines(one: Connected): Promise<readonly Line[]> {
  const { name, environment, wsUrl } = one.account;
  if (environment === "custom" && wsUrl === undefined) return [];
  const trouble = await streamTrouble(one);
  const place = `${name}: private stream (${addressText(wsUrl) ?? environment})`;
  if (trouble === null) return [{ mark: "ok", text: `${place} reachable, login accepted` }];
  const cure = "let this machine reach it; until then run looks at everything every 5 s instead";
  return [{ mark: "cure", text: `${place}: ${trouble}; ${cure}` }];
}

/** Without what stands behind the question mark: a proxy's token, for one. */
function addressText(url: string | undefined): string | null {
  if (url === undefined) return null;
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}

/** docs/v5/user/apikey-info: the groups of rights that reach contract positions. */
function missingRights({ permissions }: KeyInfo): readonly string[] {
  const hasOne = ["ContractTrade", "Derivatives"].some((group) => (permissions[group] ?? []).length > 0);
  return hasOne ? [] : ["the key has no right for contracts; give it Contract Orders and Positions"];
}

function writes(mode: string | undefined): boolean {
  return mode !== undefined && mode !== "report-only";
}

async function clockLines({ account, session }: Connected): Promise<readonly Line[]> {
  try {
    const skewMs = await session.reader.clockSkewMs();
    const found = clockFindings(skewMs);
    const { name, restUrl, environment } = account;
    const offset = `${Math.abs(Math.round(skewMs))} ms ${skewMs > 0 ? "ahead" : "behind"}`;
    const reached: Line = {
      mark: "ok",
      text: `${name}: exchange (${addressText(restUrl) ?? environment}) reachable, clock ${offset}`,
    };
    return found.length === 0 ? [reached] : found.map(({ message }) => ({ mark: "cure", text: `${name}: ${message}` }));
  } catch (error) {
    if (!(error instanceof ExchangeFailure)) throw error;
    const text = `${account.name}: exchange (${exchangePlace(account)}): ${error.message}; ${cureOf(error, account)}`;
    return [{ mark: "cure", text }];
  }
}

const CURES: Partial<Record<FailureCause, string>> = {
  key: "check key and secret, the environment they were made for, and the address the key is bound to",
  permission: "give the key the rights Contract Orders and Positions",
  clock: "synchronise this machine's clock (NTP)",
  "ip-ban": "too many requests from this address, or a region that the exchange refuses: wait ten minutes",
  "rate-limit": "too many requests from this address: wait ten minutes",
};

function cureOf(failure: ExchangeFailure, account: AccountSettings): string {
  return CURES[failure.facts.cause] ?? addressCure(failure, account);
}
