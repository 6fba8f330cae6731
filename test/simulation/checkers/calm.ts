/** After the faults: everything eligible gets protected in time, and then nothing is sent any more. */
import { isPast } from "../../../src/domain/price.js";
import type { AccountStatus } from "../../../src/sidecar/status.js";
import { noteAlerts, type Claims } from "./claims.js";
import type { Running } from "../sidecar.js";
import type { LegState } from "../venue.js";
import { count, type Notes } from "./ledger.js";

/** A request is given up after so long. */
const DEADLINE_MS = 10_000;
/** What was tried in vain before is tried again after a minute; so is a key that was refused. */
const LEFTOVER_MS = 75_000;
/** The address is left alone for ten minutes after a 403. */
const BAN_MS = 600_000;
/** A wall clock that was set back is found out by the watchdog after one and a half intervals. */
const WATCHDOG = 1.5;

export async function checkCalm(
  notes: Notes,
  claims: Claims,
  wait: (ms: number) => Promise<void>,
  writer: () => Running | undefined,
): Promise<void> {
  const { run, broken } = notes;
  const { story } = run;
  const sweepMs = story.sweepSeconds * 1_000;
  if ((run.fired.get("ipBan") ?? 0) > 0) await wait(BAN_MS);
  const startMs = run.time.elapsedMs;
  const { vanishMs, graceMs } = story.protection;
  const promisedMs = sweepMs + 2 * DEADLINE_MS + Math.max(vanishMs, graceMs);
  await waitUntilProtected(notes, promisedMs, wait);
  if (naked(notes).length > 0) count(notes, "late for the promise");
  await waitUntilProtected(notes, sweepMs * (WATCHDOG - 1) + LEFTOVER_MS, wait);
  count(notes, "calm took ms", run.time.elapsedMs - startMs);
  for (const state of naked(notes))
    broken(
      "L1",
      `${state.leg}: ${state.side} without a whole stop ${Math.round((run.time.elapsedMs - startMs) / 1_000)} s after the last fault`,
    );
  await wait(sweepMs * 2 + LEFTOVER_MS);
  for (const state of naked(notes)) broken("L1", `${state.leg}: ${state.side} without a whole stop for good`);
  await wait(restLeftMs(notes));
  const before = writesOf(notes);
  await wait(sweepMs * 2 + 1_000);
  const more = writesOf(notes) - before;
  if (more > 0) broken("L2", `${more} writes although nothing has changed: ${lastWrite(notes)}`);
  checkStatus(notes, writer()?.sidecar?.status().accounts[0]);
  noteAlerts(notes, claims);
}

async function waitUntilProtected(notes: Notes, mostMs: number, wait: (ms: number) => Promise<void>): Promise<void> {
  const endMs = notes.run.time.elapsedMs + mostMs;
  while (notes.run.time.elapsedMs < endMs && naked(notes).length > 0)
    await wait(Math.min(1_000, endMs - notes.run.time.elapsedMs));
}

/** Legs that ought to have a whole stop, and have none. */
function naked(notes: Notes): readonly LegState[] {
  const { run, wishes } = notes;
  const { story } = run;
  if (story.protection.mode === "report-only") return [];
  const isWaived = ({ leg, life }: LegState) =>
    wishes.some((wish) => wish.leg === leg && wish.life === life && (wish.waivedUntilMs ?? 0) > run.time.elapsedMs);
  return run.venue.states().filter((state) => {
    if (state.side === null || state.isWhole || state.symbol === story.ignored || isWaived(state)) return false;
    return !(story.protection.pastStop === "alert" && isPastConfigured(notes, state));
  });
}

function isPastConfigured({ run }: Notes, state: LegState): boolean {
  const { side, entryPrice, symbol, leg, life } = state;
  if (side === null) return false;
  const share = run.story.protection.stopPercent / 100;
  const level = entryPrice.times(side === "long" ? 1 - share : 1 + share);
  // What an intent or a level that stood before asks for may be past as well.
  const stood = (run.venue.history.get(leg) ?? []).flatMap(({ after }) =>
    after.life === life && after.stop !== null ? [after.stop.price] : [],
  );
  const mark = run.venue.marks(symbol, run.time.elapsedMs).at(-1)?.mark;
  const near = level.times(0.001);
  const isNear = (price: typeof level) =>
    mark === undefined || isPast(price, mark, side, "stop-loss") || price.minus(mark).abs().lte(near);
  return isNear(level) || stood.some(isNear);
}

const HOUR_MS = 3_600_000;
const RESTORES_PER_HOUR = 3;

/** A level that was put back three times within an hour is put back again when the hour is over, milliseconds from now. */
function restLeftMs({ run, restores }: Notes): number {
  const ends = [...restores.values()].map((times) => (times.at(-RESTORES_PER_HOUR) ?? -HOUR_MS) + HOUR_MS);
  const leftMs = Math.max(0, ...ends) - run.time.elapsedMs;
  return leftMs > 0 ? leftMs + run.story.sweepSeconds * 1_000 + LEFTOVER_MS : 0;
}

const writesOf = ({ counts }: Notes): number => counts.get("writes") ?? 0;

function lastWrite({ writes }: Notes): string {
  const last = [...writes.values()]
    .flat()
    .sort((one, other) => one.sent.atMs - other.sent.atMs)
    .at(-1);
  return `${last?.sent.outgoing.path ?? ""} ${JSON.stringify(last?.sent.outgoing.params ?? {})}`;
}

/** The status that a person looks at agrees with the exchange. */
function checkStatus({ run, broken }: Notes, status: AccountStatus | undefined): void {
  if (status === undefined) return broken("L5", "no process writes for the account in calm");
  const open = run.venue.states().filter(({ side }) => side !== null);
  const told = Object.values(status.positions).reduce((sum, one) => sum + one, 0);
  if (told !== open.length) broken("L5", `the status tells of ${told} positions, the exchange of ${open.length}`);
  const whole = open.filter(({ isWhole, symbol }) => isWhole && symbol !== run.story.ignored).length;
  if (status.positions.protected > whole)
    broken("S11", `the status calls ${status.positions.protected} protected, ${whole} are`);
  const { lastCompletePassAtMs } = status;
  const ageMs =
    lastCompletePassAtMs === null ? Number.POSITIVE_INFINITY : run.time.exchangeNowMs() - lastCompletePassAtMs;
  // The steady clock of a process may be off by what its wall clock lacked as it started.
  if (ageMs > 2 * run.story.sweepSeconds * 1_000 + 4_000_000) broken("L5", "no complete pass in calm");
}
