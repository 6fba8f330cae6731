/** One round: a process beside the bot, what goes wrong for it, and its end. */
import { setTimeout as wait } from "node:timers/promises";
import { count } from "./checkers/notes.js";
import type { Moment, Round } from "./plan.js";
import { type LogLine, type Running, setClock } from "./processes.js";
import type { Place, Stage } from "./stage.js";

export interface Figures {
  /** From the start of a process to a stop for everything that was naked then, milliseconds; rounds in which it had nothing against it. */
  readonly protectedAfterMs: number[];
  /** From the death of the writer to the standby's word that it writes. */
  readonly tookOverAfterMs: number[];
}

/** docs/ledger.md: a standby writes within five seconds of the death of the one before. */
const TAKEN_OVER_MS = 5_000;
const START_MS = 60_000;
const LONGEST_PROTECTION_MS = 30_000;

/** The one that runs already, or null; resolves to the one that is left over. */
export async function performRound(
  stage: Stage,
  round: Round,
  before: Running | null,
  figures: Figures,
): Promise<Running | null> {
  const { places, bot, checkers } = stage;
  checkers.notes.tell(`round ${round.number}: ${JSON.stringify(round)}`);
  for (const place of places) place.configure(round.mode);
  const faults = scheduleFaults(stage, round);
  const writer = before ?? stage.start(places[0]);
  const isUndisturbed = before === null && faults.firstMs > 0;
  const rest = bot.start();
  const timed = isUndisturbed ? timeProtection(stage, writer, faults, figures) : undefined;
  faults.concern(writer);
  const standby = round.standby ? await standBy(stage, writer) : null;
  await theMoment(stage, round.moment, before === null ? writer.instance.startedAtMs : stage.record.now());
  const left = await endOf(stage, round, writer, standby, figures);
  faults.over();
  rest();
  await timed;
  checkers.lookAtJournal();
  if (left === null) await absence(stage, round);
  return left;
}

/** While nobody is there the bot goes on. */
async function absence({ bot }: Stage, round: Round): Promise<void> {
  for (let number = 0; number < round.openMeanwhile; number += 1) bot.open();
  const rest = bot.start();
  await wait(round.goneMs);
  rest();
}

interface Faults {
  /** When the first of them comes. */
  readonly firstMs: number;
  readonly hasBegun: () => boolean;
  concern(running: Running): void;
  over(): void;
}

function scheduleFaults(stage: Stage, round: Round): Faults {
  const { places, checkers } = stage;
  const { cut, pause, fullDisk, clock } = round;
  const [place] = places;
  const timers: NodeJS.Timeout[] = [];
  const undo: (() => void)[] = [];
  let running: Running | null = null;
  let hasBegun = false;
  const at = (ms: number, deed: () => void): void => {
    const begin = (): void => {
      hasBegun = true;
      deed();
    };
    if (ms === 0) begin();
    else timers.push(setTimeout(begin, ms));
  };
  const spell = ({ fromMs, forMs }: { fromMs: number; forMs: number }, name: string, on: () => void, off: () => void) =>
    at(fromMs, () => {
      count(checkers.notes, name);
      on();
      undo.push(off);
      timers.push(setTimeout(off, forMs));
    });
  if (cut !== null)
    spell(
      cut,
      `line ${cut.weather}`,
      () => place.turn(cut.weather),
      () => clear(place),
    );
  if (fullDisk !== null && stage.disk.kind !== "none") spell(fullDisk, "disk full", stage.fillDisk, stage.freeDisk);
  if (pause !== null)
    spell(
      pause,
      "pauses",
      () => running?.signal("SIGSTOP"),
      () => running?.signal("SIGCONT"),
    );
  if (clock !== null)
    at(clock.atMs, () => {
      count(checkers.notes, "clock steps");
      checkers.notes.tell(`the wall clock of ${place.name} is off by ${clock.offsetMs} ms`);
      setClock(place, clock.offsetMs);
    });
  const firstMs = Math.min(
    ...[cut?.fromMs, fullDisk?.fromMs, pause?.fromMs, clock?.atMs].map((ms) => ms ?? Number.POSITIVE_INFINITY),
  );
  return {
    firstMs,
    hasBegun: () => hasBegun,
    concern: (one) => {
      running = one;
    },
    over: () => {
      for (const timer of timers) clearTimeout(timer);
      for (const off of undo) off();
    },
  };
}

function clear(place: Place): void {
  place.turn("clear");
}

/** Counts only where nothing went wrong before it was done. */
async function timeProtection(stage: Stage, running: Running, faults: Faults, figures: Figures): Promise<void> {
  const { record } = stage;
  const { instance } = running;
  const naked = new Map(record.naked().map(({ leg, life }) => [leg, life]));
  if (naked.size === 0) return;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      unlisten();
      clearTimeout(timer);
      resolve();
    };
    const look = (): void => {
      if (faults.hasBegun() || instance.diedAtMs !== null) return settle();
      const same = record.states().filter(({ leg, life }) => naked.get(leg) === life);
      const left = same.filter(({ side }) => side !== null);
      if (left.some(({ stop }) => stop === null)) return;
      // Where the bot was quicker and closed them all, nothing was protected.
      if (left.length === 0) return settle();
      const tookMs = record.now() - instance.startedAtMs;
      stage.checkers.notes.tell(`${instance.name}: what was naked at its start has a stop after ${tookMs} ms`);
      figures.protectedAfterMs.push(tookMs);
      settle();
    };
    const timer = setTimeout(settle, LONGEST_PROTECTION_MS);
    const unlisten = record.listen({ happened: look });
    void running.ended.then(settle);
  });
}

/** The second process, once it stands by; null: it could not find out in time. */
async function standBy(stage: Stage, writer: Running): Promise<Running | null> {
  const { notes } = stage.checkers;
  const isStarted = ({ msg }: LogLine): boolean => msg === "the sidecar has started";
  if ((await writer.says(isStarted, START_MS)) === null) return null;
  const standby = stage.start(stage.places[1]);
  const isAsked = standby.says(({ msg }) => msg.includes("this one stands by"), START_MS);
  const first = await Promise.race([isAsked, standby.says(isStarted, START_MS)]);
  if (first !== null && !isStarted(first)) return standby;
  const { name } = standby.instance;
  if (first !== null) notes.broken("S15", `${name} does not stand by, and the account's writer lives`);
  standby.signal("SIGKILL");
  await standby.ended;
  return null;
}

async function theMoment({ record, checkers, onLeaving }: Stage, moment: Moment, fromMs: number): Promise<void> {
  const ms = moment.at === "time" ? moment.ms : moment.elseMs;
  const restMs = Math.max(0, fromMs + ms - record.now());
  if (moment.at === "time") return wait(restMs);
  await new Promise<void>((resolve) => {
    let left = moment.nth;
    const settle = (): void => {
      clearTimeout(timer);
      unlisten();
      resolve();
    };
    const hit = (): void => {
      left -= 1;
      if (left > 0) return;
      checkers.notes.tell(`the moment: ${moment.at}`);
      // The answer to what had its effect is on its way a moment later.
      if (moment.at === "answer") setTimeout(settle, ANSWER_MS);
      else settle();
    };
    const timer = setTimeout(settle, restMs);
    const ours = (actors: readonly { readonly actor: string }[]): void => {
      if (actors.some(({ actor }) => actor === "us")) hit();
    };
    const unlisten = moment.at === "leaving" ? onLeaving(hit) : record.listen({ happened: ours });
  });
}

const ANSWER_MS = 5;

async function endOf(
  stage: Stage,
  round: Round,
  writer: Running,
  standby: Running | null,
  figures: Figures,
): Promise<Running | null> {
  const { notes } = stage.checkers;
  if (round.end === "stay") return writer.instance.diedAtMs === null ? writer : null;
  if (round.end === "terminate") {
    count(notes, "terminations");
    writer.signal("SIGCONT");
    writer.signal("SIGTERM");
    await writer.ended;
    return null;
  }
  count(notes, "kills");
  const taken = standby?.says(({ msg }) => msg === "this process now writes for the account", TAKEN_OVER_MS);
  const killedAtMs = stage.record.now();
  writer.signal("SIGKILL");
  await writer.ended;
  if (standby === null) return null;
  if ((await taken) == null) notes.broken("TAKEOVER", `${standby.instance.name} has not taken over within 5 s`);
  else figures.tookOverAfterMs.push(stage.record.now() - killedAtMs);
  count(notes, "take-overs");
  stage.places.reverse();
  return standby;
}
