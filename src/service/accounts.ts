/** One pass over each account, all at once, each isolated from the others' failures. */
import { randomBytes } from "node:crypto";
import {
  type AccountFinding,
  clockFindings,
  copyTradingFindings,
  disconnectFindings,
  excessRights,
  keyFindings,
  refusalFindings,
} from "../assess/account.js";
import type { Assessment } from "../assess/assess.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { KeyInfo, Writer } from "../exchange/port.js";
import type { Memory } from "../ledger/memory.js";
import { readOnlyReason } from "../ledger/readonly.js";
import { type PassOptions, type PassResult, runPass } from "../pass.js";
import type { PlannedStep } from "../plan/step.js";
import type { AccountTrouble } from "../verify/book.js";
import { compilePolicy } from "../policy/resolve.js";
import type { AccountOutcome } from "../report/build.js";
import type { Snapshot } from "../domain/snapshot.js";
import type { ReportGap } from "../report/index.js";
import { createWakefulClock, systemClock } from "../runtime/index.js";
import type { AccountSettings } from "../settings/index.js";
import { keyReason, unreadableReason } from "./address.js";
import { heldWithoutLedger, ledgerFinding } from "./books/books.js";
import type { OpenJournal } from "./books/journal.js";
import type { Connected } from "./connect.js";
import type { Ground } from "./ground.js";

export interface PassChoice {
  readonly manyChangesAgreed: boolean;
  readonly isStopping?: () => boolean;
  /** Resolves when every other account of the report is done. */
  readonly beforeEnd?: () => Promise<void>;
  readonly approve?: (account: string, planned: readonly PlannedStep[], assessment: Assessment) => Promise<boolean>;
  /** Called before each write leaves. */
  readonly onSend?: () => void;
}

/** What is remembered of the account, and how what is done is written down. */
export interface AccountBooks {
  readonly memory: Memory;
  /** Only with a ledger that may be written. */
  readonly journal?: OpenJournal;
  /** Why nothing may be written for the account; null: nothing speaks against it. */
  readonly frozen: string | null;
  /** Why only missing stops may be sent; null: everything is written down. */
  readonly trouble: () => string | null;
}

/** A key as it was read, or why it was not. */
export type KeyReading = KeyInfo | ExchangeFailure;

export async function passOver(
  { account, session }: Connected,
  keyReading: Promise<KeyReading>,
  choice: PassChoice & { readonly books: AccountBooks },
  ground: Ground,
): Promise<AccountOutcome> {
  const { name } = account;
  try {
    // Only who writes must know the key first.
    const wantsToWrite = session.writer !== undefined;
    const keyFreeze = wantsToWrite ? freezeBy(await keyReading, account) : null;
    const [result, key] = await Promise.all([
      runPass(passOptions({ account, session }, { ...choice, keyFreeze }, ground)),
      keyReading,
    ]);
    const { books } = choice;
    for (const record of result.book.judged()) books.journal?.judged(record);
    const trouble = books.trouble();
    const findings = seenFindings(result, { account, key, wantsToWrite, trouble });
    return { kind: "seen", name, ...result, findings, moreGaps: keyGaps(key) };
  } catch (error) {
    if (!(error instanceof ExchangeFailure)) throw error;
    ground.log.error({ account: name, ...error.facts }, "the account could not be read");
    return {
      kind: "unreadable",
      name,
      categories: account.categories,
      reason: unreadableReason(error, account),
      findings: refusal(error),
    };
  }
}

export interface AccountFacts {
  readonly account: AccountSettings;
  readonly key: KeyReading;
  readonly wantsToWrite: boolean;
  /** Why nothing can be written down; null: it can. */
  readonly trouble: string | null;
}

/** What there is to tell of an account as a whole, once it was looked at. */
export function seenFindings(
  { assessment, book }: Pick<PassResult, "assessment" | "book">,
  { account, key, wantsToWrite, trouble }: AccountFacts,
): readonly AccountFinding[] {
  const { copyTradingMaster, clockSkewMs, disconnectProtection } = assessment.snapshot;
  return [
    ...keyWarnings(key, account, wantsToWrite),
    ...clockFindings(clockSkewMs),
    ...writeFindings(book.accountTrouble()),
    ...disconnectFindings(disconnectProtection),
    ...copyTradingFindings(copyTradingMaster, account.copyTradingMaster),
    ...(trouble === null ? [] : [ledgerFinding(trouble)]),
  ];
}

/** What the exchange said to our writes concerns the account, not the positions that happened to be first. */
function writeFindings(trouble: AccountTrouble | null): readonly AccountFinding[] {
  return trouble === null ? [] : refusalFindings(trouble.cause, trouble.detail);
}

function keyWarnings(key: KeyReading, { allowPermissions }: AccountSettings, wantsToWrite: boolean) {
  if (key instanceof ExchangeFailure) return [];
  return keyFindings(key, { allowed: allowPermissions, wantsToWrite, nowMs: systemClock.now() });
}

/** A key whose rights could not be read may have too many: that is not silently fine. */
export function keyGaps(key: KeyReading): readonly ReportGap[] {
  return key instanceof ExchangeFailure ? [{ category: "account", what: "key", reason: key.message }] : [];
}

/** Why nothing may be written with this key; null: nothing that is known of it speaks against it. */
export function freezeBy(key: KeyReading, { allowPermissions }: AccountSettings): string | null {
  if (key instanceof ExchangeFailure) return null;
  if (key.readOnly) return "the key may only read: nothing is written";
  const excess = excessRights(key, allowPermissions);
  return excess.length === 0 ? null : `the key has the right ${excess.join(", ")}: nothing is written with it`;
}

/** One account that does not answer must not keep the others waiting. */
const FIRST_WITHIN_MS = 3_000;

export interface FirstReading {
  readonly first: KeyReading;
  readonly coming: Promise<KeyReading>;
}

/** What the exchange says of the key, or that it has not said it in time; it is awaited on. */
export async function firstReading(connected: Connected): Promise<FirstReading> {
  const coming = readKey(connected);
  const endpoint = "GET /v5/user/query-api";
  const late = new ExchangeFailure({ kind: "not-happened", cause: "timeout", endpoint });
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<ExchangeFailure>((resolve) => {
    timer = setTimeout(() => resolve(late), FIRST_WITHIN_MS);
  });
  const first = await Promise.race([coming, tooLate]);
  // It must not keep a process that has nothing else to do.
  clearTimeout(timer);
  return { first, coming };
}

export async function readKey({ session }: Connected): Promise<KeyReading> {
  try {
    return await session.reader.keyInfo();
  } catch (error) {
    if (error instanceof ExchangeFailure) return error;
    throw error;
  }
}

function passOptions(
  { account, session }: Connected,
  choice: PassChoice & { readonly books: AccountBooks; readonly keyFreeze: string | null },
  { settings, pauses, progress }: Ground,
): PassOptions {
  const { approve, beforeEnd, keyFreeze, books } = choice;
  return {
    reader: session.reader,
    ...(session.writer === undefined ? {} : { writer: told(session.writer(), choice.onSend) }),
    policyOf: compilePolicy(settings.policy),
    memory: books.memory,
    ...(books.journal === undefined ? {} : { journal: books.journal }),
    heldStep: (step) => heldWithoutLedger(books.trouble() ?? books.journal?.unwritten(step) ?? null, step),
    clock: createWakefulClock(),
    writesPerSecond: settings.budget.writesPerSecond,
    newOrderLinkId: () => `backstop-${randomBytes(9).toString("hex")}`,
    frozen: (picture) =>
      readOnlyReason(settings.stateDir, process.env) ??
      books.frozen ??
      keyFreeze ??
      copyTradingFreeze(account, picture.snapshot.copyTradingMaster),
    heldBack: ({ key }) => pauses.reasonFor(key, systemClock.now()),
    refreshInstruments: () => session.refreshInstruments(),
    manyChangesAgreed: choice.manyChangesAgreed,
    ...(choice.isStopping === undefined ? {} : { isStopping: choice.isStopping }),
    ...(beforeEnd === undefined ? {} : { beforeEnd }),
    ...(approve === undefined ? {} : { approve: (planned, assessment) => approve(account.name, planned, assessment) }),
    progress: (text) => progress(`${account.name}: ${text}`),
  };
}

function told(writer: Writer, onSend: () => void = () => undefined): Writer {
  const first = <T>(send: () => Promise<T>): Promise<T> => {
    onSend();
    return send();
  };
  return {
    account: writer.account,
    setTradingStop: (request, urgency) => first(() => writer.setTradingStop(request, urgency)),
    attachExits: (request, urgency) => first(() => writer.attachExits(request, urgency)),
    closePosition: (request, urgency) => first(() => writer.closePosition(request, urgency)),
  };
}

export function copyTradingFreeze(account: AccountSettings, isMaster: Snapshot["copyTradingMaster"]): string | null {
  if (isMaster === "unread" && !account.copyTradingMaster) {
    return "whether this is a copy-trading master could not be read, so nothing is written in this pass";
  }
  return copyTradingFindings(isMaster, account.copyTradingMaster)[0]?.message ?? null;
}

export function refusal(failure: ExchangeFailure): readonly AccountFinding[] {
  return refusalFindings(failure.facts.cause, keyReason(failure));
}
