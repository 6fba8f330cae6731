/** How often something may be sent: by the account in a second, to a position in a minute, and back to a level in an hour. */
import type { Notes, Write } from "./ledger.js";

const WRITES_PER_SECOND = 9;
/** With effect; and one more, where another hand's tighter stop is given back. */
const EFFECTS_PER_MINUTE = 4;
const TRIES_PER_MINUTE = 3;
/** What is asked for by name has tries of its own, and so have lives that cannot be told apart yet. */
const MOST_TRIES_PER_MINUTE = 8;
const FLIPS_TOLD_MS = 15_000;
const HOUR_MS = 3_600_000;
const RESTORES_PER_HOUR = 3;
const CLOSES_PER_LIFE = 3;

export function passesOf(notes: Notes, write: Write, before: readonly Write[]): void {
  const { atMs, instance } = write.sent;
  const second = [...notes.writes.values()]
    .flat()
    .filter(({ sent }) => sent.instance === instance && sent.atMs > atMs - 1_000).length;
  if (second + 1 > WRITES_PER_SECOND) notes.broken("S14", `${second + 1} writes within a second`);
  const ofLife = before.filter(
    (one) => one.life === write.life && one.sent.instance === instance && write.life !== null,
  );
  const isClose = write.sent.outgoing.path === "/v5/order/create";
  if (isClose) {
    const closes = new Set(
      ofLife.flatMap(({ sent }) =>
        sent.outgoing.path === "/v5/order/create" ? [sent.outgoing.params["orderLinkId"]] : [],
      ),
    );
    if (closes.size >= CLOSES_PER_LIFE)
      notes.broken("S12", `${write.leg}: ${closes.size + 1} closing orders in one life`);
  }
  checkMinute(notes, write, ofLife);
  checkRestores(notes, write);
  checkRebases(notes, write);
}

function checkMinute({ run, broken, wishes }: Notes, { leg, life, sent }: Write, ofLife: readonly Write[]): void {
  const sinceMs = sent.atMs - 60_000;
  const tries = ofLife.filter(({ sent: { atMs }, retCode }) => atMs > sinceMs && (retCode === 0 || retCode === null));
  const changes = run.venue.history.get(leg) ?? [];
  // After a flip, reads and pushes of both sides come for a while, and each side has writes of its own.
  const isYoung = changes.some(({ atMs, after }) => atMs > sinceMs - FLIPS_TOLD_MS && after.life !== life);
  const isAsked = wishes.some((wish) => wish.leg === leg && wish.life === life);
  if (tries.length + 1 > (isAsked || isYoung ? MOST_TRIES_PER_MINUTE : TRIES_PER_MINUTE))
    broken("S14", `${leg}: ${tries.length + 1} writes within a minute`);
  const effects = changes.filter(({ atMs, actor, after }) => atMs > sinceMs && actor === "us" && after.life === life);
  if (effects.length > EFFECTS_PER_MINUTE) broken("S14", `${leg}: ${effects.length} changes by us within a minute`);
}

/** Where the configured level is past, a stop is put at that distance from the mark at most once in a life. */
function checkRebases(notes: Notes, { leg, sent }: Write): void {
  const [category, symbol, idx] = leg.split("/");
  const rebases = notes.written(sent.instance).filter(({ entry }) => {
    const body = entry.body as Record<string, unknown>;
    const isHere = entry.category === category && entry.symbol === symbol && String(entry.positionIdx) === idx;
    return isHere && entry.kind === "step-judged" && body["purpose"] === "rebase" && body["outcome"] === "confirmed";
  });
  const byLife = new Map<string, Set<unknown>>();
  for (const { entry } of rebases) {
    const prices = byLife.get(entry.lifeId ?? "") ?? new Set();
    byLife.set(entry.lifeId ?? "", prices.add((entry.body as Record<string, unknown>)["stopLoss"]));
  }
  for (const [life, prices] of byLife) {
    if (life !== "" && prices.size > 1)
      notes.broken("REBASE", `${leg}: put at a distance from the mark ${prices.size} times in one life`);
  }
}

/** When the write left that was seen to stand by then: what is written down of it comes later. */
function sentMs({ writes }: Notes, leg: string, price: unknown, writtenMs: number): number {
  const write = (writes.get(leg) ?? []).findLast(
    ({ sent, stopLoss }) => sent.atMs <= writtenMs && stopLoss?.toFixed() === price,
  );
  return write?.sent.atMs ?? writtenMs;
}

/** So long a step may wait between its entry and its request. */
const WRITTEN_BEFORE_MS = 6_000;

/** Moved back to where another hand had it loosened from: at most three times an hour. */
function checkRestores(notes: Notes, write: Write): void {
  const { atMs, instance } = write.sent;
  const price = write.stopLoss?.toFixed();
  const [category, symbol, idx] = write.leg.split("/");
  const restores = notes.written(instance).filter(({ entry, atMs: writtenMs }) => {
    const body = entry.body as Record<string, unknown>;
    const isHere = entry.category === category && entry.symbol === symbol && String(entry.positionIdx) === idx;
    return (
      entry.kind === "step-judged" &&
      isHere &&
      body["purpose"] === "restore" &&
      body["outcome"] === "confirmed" &&
      sentMs(notes, write.leg, body["stopLoss"], writtenMs) > atMs - HOUR_MS
    );
  });
  const intended = notes.written(instance).findLast(
    // What a naked position needs is sent unwritten where the disk is full: then the latest entry is of another step.
    ({ entry, atMs: writtenMs }) =>
      entry.kind === "step-intended" && entry.symbol === symbol && atMs - writtenMs < WRITTEN_BEFORE_MS,
  );
  const body = intended?.entry.body as Record<string, unknown> | undefined;
  const lives = new Set(restores.map(({ entry }) => entry.lifeId));
  const isRestore = body?.["purpose"] === "restore" && body["stopLoss"] === price && lives.has(intended?.entry.lifeId);
  const ofThisLife = restores.filter(({ entry }) => entry.lifeId === intended?.entry.lifeId).length;
  if (isRestore && ofThisLife >= RESTORES_PER_HOUR)
    notes.broken("F28", `${write.leg}: put back for the ${ofThisLife + 1}th time within an hour`);
}
