/** Each request of ours as it leaves: form, price, leg, freshness, budget, lock, journal, and whom it may reach. */
import { type Decimal, dec } from "../../../src/domain/decimal.js";
import type { NewEntry } from "../../../src/ledger/port.js";
import { isAsAsked } from "./effects.js";
import { passesOf } from "./rates.js";
import type { Instance, Sent } from "../run-parts.js";
import type { LegState } from "../venue.js";
import { count, type Notes, type Write } from "./ledger.js";

const TRADING_STOP = "/v5/position/trading-stop";
const AMEND = "/v5/order/amend";
const CREATE = "/v5/order/create";
const PLAIN = /^(?=.*[1-9])\d+(\.\d+)?$/;
/** How old what a write is decided from may be at most, with every delay that a request may meet. */
const FRESH_MS = 25_000;
const PUSH_FRESH_MS = 12_000;
/** How long another state of the leg may have been true for the one who decided. */
const RACE_MS = 20_000;
/** So often a stop is asked for before it is left alone for a while. */
const MOST_TRIES = 3;
const JOURNAL_TROUBLE_MS = 12_000;

export function checkWrite(notes: Notes, sent: Sent): void {
  const { outgoing, instance } = sent;
  const { path, params } = outgoing;
  const { run, disk } = notes;
  const leg = legOf(notes, params, path);
  const state = run.venue.state(leg);
  const stopLoss = priceIn(params["stopLoss"]);
  count(notes, "writes");
  const lately = (holds: (state: LegState) => boolean, ms = RACE_MS) =>
    notes.everSince(leg, run.time.elapsedMs - ms, holds);
  if (disk.holder("main") !== instance) notes.broken("S15", `${instance.name} writes without the account's lock`);
  if (run.story.protection.mode === "report-only") notes.broken("S20", "a write in report-only mode");
  if (params["symbol"] === run.story.ignored) notes.broken("S20", `a write to the ignored ${run.story.ignored}`);
  checkPause(notes, String(params["symbol"]));
  checkForm(notes, path, params);
  if (path === CREATE) checkClose(notes, params, leg, lately);
  else if (stopLoss !== null)
    checkStop(notes, { leg, stopLoss, triggerBy: String(params["slTriggerBy"]), path, params });
  if (path === TRADING_STOP && !lately(({ side }) => side !== null))
    notes.broken("S8", `a write to ${leg}, which has been flat`);
  const before = notes.writes.get(leg) ?? [];
  const write: Write = {
    sent,
    leg,
    life: state?.side == null ? null : state.life,
    stopLoss,
    retCode: null,
    answeredAtMs: null,
  };
  if (path === TRADING_STOP) checkFresh(notes, instance, leg, before, write);
  checkJournal(notes, instance, leg, params, path);
  if (stopLoss !== null && path === TRADING_STOP) checkConfigured(notes, instance, leg, stopLoss);
  if (stopLoss !== null && path === TRADING_STOP) checkIntent(notes, leg, stopLoss, lately);
  passesOf(notes, write, before);
  before.push(write);
  notes.writes.set(leg, before.slice(-50));
}

/** An amendment names its order, whose leg is known to the exchange. */
function legOf({ run }: Notes, params: Sent["outgoing"]["params"], path: string): string {
  const { category, symbol } = params;
  const order = path === AMEND ? run.venue.account.orders.find((one) => one.orderId === params["orderId"]) : undefined;
  return `${String(category)}/${String(symbol)}/${String(order?.positionIdx ?? params["positionIdx"] ?? 0)}`;
}

function priceIn(value: unknown): Decimal | null {
  return typeof value === "string" && PLAIN.test(value) ? dec(value) : null;
}

function checkPause({ run, broken }: Notes, symbol: string): void {
  const fromMs = run.story.hours * 1_800_000;
  if (symbol === run.story.paused && !run.isCalm && run.time.elapsedMs > fromMs)
    broken("S22", `a write to ${symbol}, which a person has paused`);
}

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  [TRADING_STOP]: [
    "category",
    "symbol",
    "tpslMode",
    "positionIdx",
    "stopLoss",
    "slTriggerBy",
    "takeProfit",
    "tpTriggerBy",
  ],
  [AMEND]: ["category", "symbol", "orderId", "tpslMode", "stopLoss", "slTriggerBy", "takeProfit", "tpTriggerBy"],
  [CREATE]: ["category", "symbol", "side", "orderType", "qty", "reduceOnly", "positionIdx", "orderLinkId"],
};

/** No value that removes or clears, no path that cancels, no field that nobody knows of. */
function checkForm({ broken }: Notes, path: string, params: Sent["outgoing"]["params"]): void {
  const allowed = ALLOWED[path];
  if (allowed === undefined) return broken("S2", `a request to ${path}`);
  const strange = Object.keys(params).filter((name) => !allowed.includes(name));
  if (strange.length > 0) broken("S2", `${path} with ${strange.join(", ")}`);
  for (const name of ["stopLoss", "takeProfit"] as const) {
    const value = params[name];
    if (value !== undefined && priceIn(value) === null) broken("S2", `${name} ${JSON.stringify(value)}`);
  }
  if (path !== CREATE && params["tpslMode"] !== "Full") broken("S10", `tpslMode ${String(params["tpslMode"])}`);
}

function checkClose(
  notes: Notes,
  params: Sent["outgoing"]["params"],
  leg: string,
  lately: (holds: (state: LegState) => boolean) => boolean,
): void {
  const { run, broken } = notes;
  const { pastStop, pastTakeProfit } = run.story.protection;
  const isWanted = pastStop === "close" || pastTakeProfit === "close";
  if (!isWanted) broken("S12", "an order although nothing is configured to close");
  if (params["reduceOnly"] !== true || params["orderType"] !== "Market")
    broken("S12", "an order that does not only reduce");
  const side = params["side"] === "Sell" ? "long" : "short";
  if (!lately((state) => state.side === side)) broken("S12", `an order that would open ${leg} the other way`);
  const qty = priceIn(params["qty"]);
  if (qty !== null && !lately((state) => state.side === side && state.size.gte(qty)))
    broken("S12", `an order for more than ${leg} has had`);
}

interface StopWrite {
  readonly leg: string;
  readonly stopLoss: Decimal;
  readonly triggerBy: string;
  readonly path: string;
  readonly params: Sent["outgoing"]["params"];
}

function checkStop(notes: Notes, { leg, stopLoss, triggerBy, path, params }: StopWrite): void {
  const { run, broken } = notes;
  const symbol = String(params["symbol"]);
  const ticks = run.venue.ticks(symbol);
  if (!ticks.some((tick) => stopLoss.mod(tick).isZero()))
    broken("S7", `${leg}: ${stopLoss.toFixed()} is no multiple of ${ticks.at(-1)?.toFixed() ?? "?"}`);
  if (path !== TRADING_STOP) return;
  // No story configures another; what stood by another one may be put back.
  const hasStood = run.venue.triggers.get(leg)?.has(triggerBy) === true;
  if (triggerBy !== "MarkPrice" && !hasStood) broken("CONFIG", `${leg}: a stop by ${triggerBy}`);
  const sides = new Set<string>();
  notes.everSince(leg, run.time.elapsedMs - RACE_MS, ({ side }) => {
    if (side !== null) sides.add(side);
    return false;
  });
  const prices = run.venue
    .marks(symbol, run.time.elapsedMs - RACE_MS)
    .map((one) => (triggerBy === "LastPrice" ? one.last : one.mark));
  const isRight = (side: string) => prices.some((price) => (side === "long" ? stopLoss.lt(price) : stopLoss.gt(price)));
  if (sides.size > 0 && ![...sides].some(isRight))
    broken("S6", `${leg}: ${stopLoss.toFixed()} is on the wrong side of the price`);
  const idx = params["positionIdx"];
  const fits = idx === 0 || (idx === 1 && sides.has("long")) || (idx === 2 && sides.has("short"));
  if (sides.size > 0 && !fits) broken("S8", `${leg}: the leg ${String(idx)} holds no such side`);
}

/** Decided from what was asked for after the write before, unless that one surely came to nothing. */
function checkFresh(notes: Notes, instance: Instance, leg: string, before: readonly Write[], write: Write): void {
  const { run, broken } = notes;
  const nowMs = run.time.elapsedMs;
  const known = notes.knowledge(instance, leg);
  const reads = [...notes.knowledge(instance, listOf(leg)).reads, ...known.reads];
  const latestMs = Math.max(...reads.map(({ askedMs }) => askedMs));
  const isFresh = nowMs - latestMs <= FRESH_MS || nowMs - known.pushedAtMs <= PUSH_FRESH_MS;
  if (!isFresh) broken("S5", `${leg}: decided from nothing that was read or pushed lately`);
  if (reads.length === 0) broken("S4", `${leg}: a write before any good read`);
  const last = before.findLast(({ sent }) => sent.instance === instance && sent.outgoing.path === TRADING_STOP);
  if (last === undefined || last.life !== write.life || write.life === null) return;
  // Meant for the other side of a position that has flipped on the way: that one would be refused.
  const mark = run.venue.marks(String(write.sent.outgoing.params["symbol"]), nowMs).at(-1)?.mark;
  const isBelow = ({ stopLoss }: Write) => (stopLoss === null || mark === undefined ? null : stopLoss.lt(mark));
  if (last.stopLoss !== null && write.stopLoss !== null && isBelow(last) !== isBelow(write)) return;
  const cameToNothing = last.retCode !== null && last.retCode !== 0 && !AMBIGUOUS.includes(last.retCode);
  if (cameToNothing) return;
  const since = last.answeredAtMs ?? last.sent.atMs;
  if (!reads.some(({ askedMs }) => askedMs >= since - 1))
    broken(
      "S9",
      `${leg}: written again without a read since ${last.retCode === 0 ? "the acknowledgement" : "an answer in doubt"} at ${Math.round(since)} ms`,
    );
}

function listOf(leg: string): string {
  const [category = "", symbol = ""] = leg.split("/");
  return `${category}/${symbol.endsWith("USDT") ? "USDT" : symbol.endsWith("PERP") ? "USDC" : ""}`;
}

const AMBIGUOUS: readonly number[] = [10000, 10016, 10429, 34040, 3400214, 110079];

/** Written down before it left; where nothing can be written, only what a naked position needs. */
function checkJournal(
  notes: Notes,
  instance: Instance,
  leg: string,
  params: Sent["outgoing"]["params"],
  path: string,
): void {
  if (path === AMEND) return;
  const { run, broken } = notes;
  const nowMs = run.time.elapsedMs;
  const wanted = { stopLoss: params["stopLoss"], takeProfit: params["takeProfit"], quantity: params["qty"] };
  const isWritten = notes.written(instance).some(({ entry }) => {
    if (entry.kind !== "step-intended" || entry.symbol !== params["symbol"]) return false;
    const body = entry.body as Record<string, unknown>;
    return Object.entries(wanted).every(([name, value]) => value === undefined || body[name] === value);
  });
  if (isWritten) return;
  if (nowMs - notes.journalTroubleMs > JOURNAL_TROUBLE_MS)
    return broken("S17", `${leg}: sent before it was written down`);
  const isUrgent = notes.everSince(leg, nowMs - RACE_MS, ({ stop, isWhole }) => stop === null || !isWhole);
  if (!isUrgent && path === TRADING_STOP && !isGivenBack(notes, leg, params["stopLoss"]))
    broken("S17", `${leg}: moved although nothing can be written down`);
}

/** What is added by the config's word is never looser than the config says. */
function checkConfigured(notes: Notes, instance: Instance, leg: string, price: Decimal): void {
  const { run } = notes;
  const [category, symbol, idx] = leg.split("/");
  const bodyOf = ({ entry }: { readonly entry: NewEntry }) => entry.body as Record<string, unknown>;
  const asked = notes.written(instance).filter(({ entry }) => {
    const isHere = entry.category === category && entry.symbol === symbol && String(entry.positionIdx) === idx;
    return entry.kind === "step-intended" && isHere;
  });
  const same = asked.filter((each) => bodyOf(each)["stopLoss"] === price.toFixed());
  const intended = same.at(-1);
  if (intended === undefined || run.time.elapsedMs - intended.atMs > RACE_MS) return;
  const isByConfig = ({ purpose, by }: Record<string, unknown>) => purpose === "add" && String(by).startsWith("config");
  if (!isByConfig(bodyOf(intended))) return;
  // A write that never showed is asked for once more as it was: by an intent, which may be in doubt by now.
  const tries = asked.slice(-MOST_TRIES);
  if (tries.every((each) => same.includes(each)) && tries.some((each) => !isByConfig(bodyOf(each)))) return;
  const share = run.story.protection.stopPercent / 100;
  const slack = run.venue.ticks(symbol ?? "").reduce((most, tick) => (tick.gt(most) ? tick : most));
  const isAllowed = notes.everSince(leg, run.time.elapsedMs - RACE_MS, ({ side, entryPrice }) => {
    if (side === null) return false;
    const level = entryPrice.times(side === "long" ? 1 - share : 1 + share);
    return side === "long" ? price.gte(level.minus(slack)) : price.lte(level.plus(slack));
  });
  if (!isAllowed)
    notes.broken("CONFIG", `${leg}: ${price.toFixed()} is looser than ${run.story.protection.stopPercent}%`);
}

/** A tighter stop of another hand that ours has replaced is put back in any case. */
function isGivenBack({ run }: Notes, leg: string, price: unknown): boolean {
  const changes = run.venue.history.get(leg) ?? [];
  if (changes.some(({ atMs, actor }) => run.time.elapsedMs - atMs < RACE_MS && actor !== "us")) return true;
  // Where the exchange did not answer for minutes, it is owed all that time: for as long as ours stands.
  const moved = changes.findLast(({ before, after }) => priceText(before) !== priceText(after));
  const life = changes.at(-1)?.after.life;
  const stood = changes.some(({ actor, after }) => actor !== "us" && after.life === life && priceText(after) === price);
  return stood && moved?.actor === "us" && moved.after.life === life;
}

const priceText = (state: LegState | null) => state?.stop?.price.toFixed() ?? null;

/** The price of an intent reaches the life that it was meant for, and no other. */
function checkIntent(
  notes: Notes,
  leg: string,
  price: Decimal,
  lately: (holds: (state: LegState) => boolean) => boolean,
): void {
  const same = notes.wishes.filter((wish) => wish.leg === leg && wish.price?.eq(price) === true);
  if (same.length === 0 || same.some(({ orderLinkId, life }) => orderLinkId !== null && life == null)) return;
  const { run } = notes;
  const life = run.venue.state(leg)?.life;
  const sideNow = run.venue.state(leg)?.side;
  // One that waits is taken up by the first life of its side that a process sees in time.
  let taker = life ?? null;
  const waiting = same.find((wish) => {
    if (wish.life != null) return false;
    if ((sideNow ?? wish.side) === wish.side) return isInTime(notes, wish.atMs, leg, life);
    // That life may have ended by a flip while the write was on its way.
    return lately((state) => {
      if (state.side !== wish.side || !isInTime(notes, wish.atMs, leg, state.life)) return false;
      taker = state.life;
      return true;
    });
  });
  if (waiting !== undefined) waiting.life = taker;
  const isMeant =
    waiting !== undefined ||
    same.some(
      (wish) =>
        wish.life === life ||
        wish.lifeBefore === life ||
        lately((state) => (state.life === wish.life || state.life === wish.lifeBefore) && state.side === wish.side),
    );
  const symbol = run.venue.state(leg)?.symbol ?? "";
  // Another level, wanted for this life, may come to the same price by the tick.
  const isRounded = notes.wishes.some(
    (wish) => wish.leg === leg && wish.life === life && isAsAsked(notes, symbol, wish.price, price),
  );
  if (isMeant || isRounded) return;
  // Where the life that it stood in ended a moment ago, who writes may not know it yet.
  const stood = (run.venue.history.get(leg) ?? []).some(
    ({ after }) => after.stop?.price.eq(price) && lately((state) => state.life === after.life),
  );
  // Brought by an entry order that had been given it, and replaced in the same moment by what another order brought.
  const wasBrought = (notes.writes.get(leg) ?? []).some(
    ({ stopLoss, sent }) => sent.outgoing.path === AMEND && stopLoss?.eq(price) === true,
  );
  if (!stood && !wasBrought && !lately((state) => isConfigured(notes, state, price)))
    notes.broken("INTENT", `${leg}: the level ${price.toFixed()} was meant for another life`);
}

const WAITS_MS = 600_000;
const CLOCK_OFF_MS = 3_600_000;

/** The life began before the intent expired. */
function isInTime({ run }: Notes, wishedMs: number, leg: string, life: LegState["life"] | undefined): boolean {
  const changes = run.venue.history.get(leg) ?? [];
  const opened = changes.find(({ after }) => after.life === life);
  // Our clock says when it was made, and may have been an hour off.
  const clockMs = run.fired.has("clockStep") ? CLOCK_OFF_MS : 0;
  return opened === undefined || opened.atMs <= wishedMs + WAITS_MS + clockMs;
}

/** The configured level may be the same price by chance. */
function isConfigured({ run }: Notes, state: LegState, price: Decimal): boolean {
  const tick = run.venue.ticks(state.symbol).at(-1);
  if (state.side === null || tick === undefined) return false;
  const share = run.story.protection.stopPercent / 100;
  const wanted = state.entryPrice.times(state.side === "long" ? 1 - share : 1 + share);
  return wanted.minus(price).abs().lte(tick.times(2));
}
