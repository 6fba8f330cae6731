/** `backstop history`: what was seen, intended, done and verified, read from the ledger and from nothing else. */
import { type Entry, LedgerError } from "../ledger/port.js";
import { type LedgerReader, readLedger } from "../ledger/reading.js";
import { oneLine } from "../report/escaping.js";
import { systemClock } from "../runtime/index.js";
import { type Outline, showValue } from "../settings/index.js";
import type { Console } from "./console.js";
import { type CommonOptions, openOutline } from "./context.js";
import { Refusal } from "./exit.js";
import { type Choice, findEntries, type Found } from "./history/choice.js";
import { followFrom } from "./history/follow.js";
import { entriesJson, entryLine, stopsJson } from "./history/json.js";
import { findStops, type SetStop } from "./history/stops.js";
import { entriesTable, followedLine, stopsTable, type TableOptions } from "./history/table.js";

export interface HistoryOptions extends CommonOptions {
  readonly format?: "table" | "json";
  /** Absent: all. */
  readonly symbol?: readonly string[];
  readonly kind?: readonly string[];
  /** Milliseconds; absent: from the beginning. */
  readonly since?: number;
  readonly limit: number;
  readonly stops: boolean;
  readonly follow: boolean;
}

export async function history(options: HistoryOptions, console: Console): Promise<number> {
  refuseContradiction(options);
  // An account that has left the config has a history all the same.
  const { account: _asked, ...config } = options;
  const outline = await openOutline(config);
  try {
    const reader = await readLedger(outline.ledgerUrl);
    if (reader === null) console.err(`${absent(outline)}\n`);
    await (options.follow ? follow(reader, outline, options, console) : show(reader, outline, options, console));
    return 0;
  } catch (error) {
    if (error instanceof LedgerError) throw new Refusal(oneLine(error.message), 1);
    throw error;
  }
}

function refuseContradiction({ stops, follow: isFollowing, kind }: HistoryOptions): void {
  const other = isFollowing ? "--follow" : kind === undefined ? null : "--kind";
  if (!stops || other === null) return;
  throw new Refusal(`--stops and ${other} do not go together: a stop is put together from several entries.`);
}

function choiceOf({ account, symbol, kind, since }: HistoryOptions): Choice {
  return {
    accounts: account ?? [],
    symbols: symbol ?? [],
    kinds: kind ?? [],
    sinceMs: since === undefined ? null : systemClock.now() - since,
  };
}

async function show(
  reader: LedgerReader | null,
  outline: Outline,
  options: HistoryOptions,
  console: Console,
): Promise<void> {
  const choice = choiceOf(options);
  try {
    const found = await findIn(reader, choice, options);
    console.out(textOf(found, formatOf(options, console), tableOptions(console)));
    if (found.rows.shown.length === 0 && !found.rows.isCut) noteUnknownAccounts(outline, choice, console);
  } finally {
    await reader?.close();
  }
}

type Rows =
  | { readonly kind: "entries"; readonly rows: Found<Entry> }
  | { readonly kind: "stops"; readonly rows: Found<SetStop> };

async function findIn(reader: LedgerReader | null, choice: Choice, { stops, limit }: HistoryOptions): Promise<Rows> {
  const none = { shown: [], isCut: false };
  if (stops) return { kind: "stops", rows: reader === null ? none : await findStops(reader, choice, limit) };
  return { kind: "entries", rows: reader === null ? none : await findEntries(reader, choice, limit) };
}

function textOf(found: Rows, format: "table" | "json", table: TableOptions): string {
  if (found.kind === "stops") {
    return format === "json" ? stopsJson(found.rows.shown) : stopsTable(found.rows, table);
  }
  return format === "json" ? entriesJson(found.rows.shown) : entriesTable(found.rows, table);
}

async function follow(
  reader: LedgerReader | null,
  outline: Outline,
  options: HistoryOptions,
  console: Console,
): Promise<void> {
  if (reader?.isSnapshot === true) {
    const why = "its folder cannot be written, so only what stands in it can be read, and not what comes";
    throw new Refusal(`--follow: ${absentName(outline)}: ${why}; run this as the user who runs the sidecar.`, 1);
  }
  const choice = choiceOf(options);
  const format = formatOf(options, console);
  const table = tableOptions(console);
  const print = (entry: Entry) => console.out(format === "json" ? entryLine(entry) : followedLine(entry, table));
  const signal = whenEnded();
  const { shown } = reader === null ? { shown: [] } : await findEntries(reader, choice, options.limit);
  for (const entry of shown.toReversed()) print(entry);
  await followFrom(reader, shown, choice, {
    open: () => readLedger(outline.ledgerUrl),
    show: print,
    tell: (sentence) => console.err(`${oneLine(sentence)}\n`),
    signal,
  });
}

/** Asked to end, or nobody reads any more (`| head`). */
function whenEnded(): AbortSignal {
  const ended = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ended.abort());
  process.stdout.on("error", () => ended.abort());
  return ended.signal;
}

function formatOf({ format }: HistoryOptions, console: Console): "table" | "json" {
  return format ?? (console.outIsTerminal ? "table" : "json");
}

/** Where nobody looks at a terminal, a line stays a line: it may be searched. */
function tableOptions({ color, outIsTerminal, width }: Console): TableOptions {
  return { color, width: outIsTerminal ? width : Number.POSITIVE_INFINITY };
}

function absent(outline: Outline): string {
  return `There is no ledger yet (${absentName(outline)}): nothing was written down so far.`;
}

/** The address of a server may hold a password, and is not told. */
function absentName({ ledgerUrl }: Outline): string {
  return oneLine(ledgerUrl.startsWith("file:") ? ledgerUrl.slice("file:".length) : "the database of ledger.url");
}

function noteUnknownAccounts({ accountNames }: Outline, { accounts }: Choice, console: Console): void {
  const known = accountNames.join(", ");
  for (const name of accounts.filter((one) => !accountNames.includes(one))) {
    console.err(`--account ${showValue([], name)} is not in the config (${known}), nor does anything of it fit.\n`);
  }
}
