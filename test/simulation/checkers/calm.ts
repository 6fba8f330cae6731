/** After the faults: everything eligible gets protected in time, and then nothing is sent any more. */
import type { SidecarStatus } from "../../../src/sidecar/status.js";
import { noteAlerts, type Claims } from "./claims.js";
import type { Running } from "../sidecar.js";
import { checkPrompt } from "./prompt.js";
import { naked, PATIENCE_MS, promisedMs, waitUntilProtected } from "./naked.js";
import { checkSpoilt } from "./spoilt.js";
import { count, type Notes } from "./ledger.js";

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
  await checkSpoilt(notes, wait, writer);
  const startMs = run.time.elapsedMs;
  await waitUntilProtected(notes, promisedMs(run), wait);
  if (naked(notes).length > 0) count(notes, "late for the promise");
  await waitUntilProtected(notes, sweepMs * (WATCHDOG - 1) + PATIENCE_MS, wait);
  count(notes, "calm took ms", run.time.elapsedMs - startMs);
  for (const state of naked(notes))
    broken(
      "L1",
      `${state.leg}: ${state.side} without a whole stop ${Math.round((run.time.elapsedMs - startMs) / 1_000)} s after the last fault`,
    );
  await wait(sweepMs * 2 + PATIENCE_MS);
  for (const state of naked(notes)) broken("L1", `${state.leg}: ${state.side} without a whole stop for good`);
  await wait(restLeftMs(notes, writer()?.instance.sleptMs ?? 0));
  const before = writesOf(notes);
  await wait(sweepMs * 2 + 1_000);
  const more = writesOf(notes) - before;
  if (more > 0) broken("L2", `${more} writes although nothing has changed: ${lastWrite(notes)}`);
  const status = statusOf(notes, writer());
  checkStatus(notes, status);
  noteAlerts(notes, claims);
  await checkPrompt(notes, wait, status?.accounts[0]?.stream === "live");
}

const HOUR_MS = 3_600_000;
const RESTORES_PER_HOUR = 3;

/**
 * How long something may be left to do, milliseconds: a level that was put back three times within an hour is put back
 * again when the hour is over by the program's steady clock, which stands still while its machine sleeps; and a tick that
 * has changed is found out within an hour; and what was waived is missing when the waiver ends.
 */
function restLeftMs({ run, restores, wishes }: Notes, sleptMs: number): number {
  const ends = [...restores.values()].map((times) => (times.at(-RESTORES_PER_HOUR) ?? -HOUR_MS) + HOUR_MS);
  const tickMs = run.fired.has("tickChange") ? run.story.hours * HOUR_MS + HOUR_MS : 0;
  // A waiver ends by the program's wall clock.
  const skewMs = Math.abs(run.time.wallSkewMs);
  ends.push(...wishes.map(({ waivedUntilMs }) => (waivedUntilMs ?? -HOUR_MS) + skewMs));
  const untilMs =
    Math.max(tickMs, ...ends.map((endMs) => endMs + sleptMs)) + run.story.sweepSeconds * 1_000 + PATIENCE_MS;
  return Math.max(0, untilMs - run.time.elapsedMs);
}

const writesOf = ({ counts }: Notes): number => counts.get("writes") ?? 0;

function lastWrite({ writes }: Notes): string {
  const last = [...writes.values()]
    .flat()
    .sort((one, other) => one.sent.atMs - other.sent.atMs)
    .at(-1);
  return `${last?.sent.outgoing.path ?? ""} ${JSON.stringify(last?.sent.outgoing.params ?? {})}`;
}

/** As the process itself would tell it, by its own clock. */
function statusOf({ run: { time } }: Notes, running: Running | undefined): SidecarStatus | undefined {
  if (running === undefined) return undefined;
  time.owner = running.instance;
  const status = running.sidecar?.status();
  time.owner = time.world;
  return status;
}

/** The status that a person looks at agrees with the exchange. */
function checkStatus({ run, broken }: Notes, sidecar: SidecarStatus | undefined): void {
  const status = sidecar?.accounts[0];
  if (sidecar === undefined || status === undefined) return broken("L5", "no process writes for the account in calm");
  const open = run.venue.states().filter(({ side }) => side !== null);
  const told = Object.values(status.positions).reduce((sum, one) => sum + one, 0);
  if (told !== open.length) broken("L5", `the status tells of ${told} positions, the exchange of ${open.length}`);
  const whole = open.filter(({ isWhole, symbol }) => isWhole && symbol !== run.story.ignored).length;
  if (status.positions.protected > whole)
    broken("S11", `the status calls ${status.positions.protected} protected, ${whole} are`);
  const { lastCompletePassAtMs } = status;
  const ageMs = lastCompletePassAtMs === null ? Number.POSITIVE_INFINITY : sidecar.nowMs - lastCompletePassAtMs;
  if (ageMs > 2 * run.story.sweepSeconds * 1_000) broken("L5", "no complete pass in calm");
}
