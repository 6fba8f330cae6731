/** After the faults: every position is protected in time (L1), then nothing is sent any more (L2), and what is reported is true. */
import { checkReport } from "./checkers/claims.js";
import type { Running } from "./processes.js";
import type { ExchangeRecord } from "./record.js";
import { type Stage, VANISH_MS } from "./stage.js";

/** A request is given up after so long. */
const DEADLINE_MS = 10_000;
/** A pass of a sweep that hangs on the last request of before. */
const SWEEP_SAID_MS = 30_000;

/** Everything is well from now on, and nobody acts. Resolves to how long the protection took, milliseconds. */
export async function checkCalm(stage: Stage, writer: Running): Promise<number> {
  const { record, checkers, options } = stage;
  const { notes } = checkers;
  notes.tell("calm");
  const startMs = record.now();
  const promisedMs = options.sweepSeconds * 1_000 + 2 * DEADLINE_MS + VANISH_MS;
  await untilProtected(record, promisedMs);
  const tookMs = record.now() - startMs;
  for (const { leg, side } of record.naked())
    notes.broken("L1", `${leg}: ${String(side)} without a stop ${tookMs} ms after the last fault`);
  await sweeps(stage, writer, 2);
  const before = writesOf(stage);
  await sweeps(stage, writer, 2);
  const more = writesOf(stage) - before;
  if (more > 0) notes.broken("L2", `${more} writes although nothing has changed`);
  for (const { leg } of record.naked()) notes.broken("L1", `${leg}: naked in calm`);
  await checkWords(stage);
  notes.tell("calm is over");
  return tookMs;
}

const writesOf = ({ checkers }: Stage): number => checkers.notes.counts.get("writes") ?? 0;

/** Resolves as the last naked position has a stop, or the time is over. */
export function untilProtected(record: ExchangeRecord, mostMs: number): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      unlisten();
      resolve();
    };
    const look = (): void => {
      if (record.naked().length === 0) settle();
    };
    const timer = setTimeout(settle, mostMs);
    const unlisten = record.listen({ happened: look });
    look();
  });
}

/** Two passes over everything, each to its end. */
async function sweeps({ checkers, options }: Stage, writer: Running, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const withinMs = options.sweepSeconds * 1_000 + SWEEP_SAID_MS;
    const line = await writer.saysNext(({ msg, whole }) => msg === "pass complete" && whole === true, withinMs);
    if (line === null) checkers.notes.broken("L5", `no complete pass within ${withinMs} ms in calm`);
  }
}

interface SaidReport {
  readonly positions: readonly { readonly symbol: string; readonly positionIdx: number; readonly status: string }[];
}

/** What other commands say of the exchange and of the ledger. */
async function checkWords({ command, record, checkers }: Stage): Promise<void> {
  const { notes } = checkers;
  const askedAtMs = record.now();
  const { stdout } = await command("audit", "--format", "json", "--fail-on", "never");
  const { positions } = JSON.parse(stdout) as SaidReport;
  checkReport(notes, positions, askedAtMs);
  const open = record.states().filter(({ side }) => side !== null);
  const told = positions.filter(({ status }) => status === "protected").length;
  if (told !== open.length) notes.broken("L1", `the report calls ${told} of ${open.length} positions protected`);
  checkers.lookAtJournal();
  const seen = notes.journal.newestIds(HISTORY_LOOKED_AT);
  const history = await command("history", "--format", "json", "--limit", String(2 * HISTORY_LOOKED_AT));
  const { entries } = JSON.parse(history.stdout) as { readonly entries: readonly { readonly id: number }[] };
  const ids = new Set(entries.map(({ id }) => id));
  for (const id of seen.filter((one) => !ids.has(one)))
    notes.broken("LOST", `history does not tell of entry ${id}, which had been written`);
}

/** The newest; more of them may come while they are asked for. */
const HISTORY_LOOKED_AT = 500;
