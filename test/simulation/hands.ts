/** Everybody else: the market that moves, the bot that trades and sets its own stops, the person who edits by hand. */
import { type Decimal, dec, print } from "../../src/domain/decimal.js";
import type { PositionIdx, Side } from "../../src/domain/position.js";
import { toTick } from "../../src/domain/price.js";
import type { Random } from "../../src/exchange/simulator/random.js";
import type { SimInstrument } from "../../src/exchange/simulator/instruments.js";
import { diceFor, type Run } from "./run-parts.js";
import type { Story } from "./story.js";
import type { LegState } from "./venue.js";

export interface Hands {
  /** Until it is told to stop. */
  start(): void;
  stop(): void;
  /** A burst of pushes that tell nothing new. */
  burst(): void;
}

/** What an intent is asked for: by the bot, of whichever process listens. */
export interface IntentWish {
  readonly symbol: string;
  readonly positionIdx: PositionIdx;
  readonly side: Side;
  readonly stopLoss: string | null;
  readonly takeProfit: string | null;
  readonly orderLinkId: string | null;
  readonly allowLoosen: boolean;
  readonly waivedForMs: number | null;
}

export function openHands(run: Run, wish: (wish: IntentWish) => void): Hands {
  const { time, story } = run;
  const dice = diceFor(story.seed, 3);
  let isOn = false;
  const every = (seconds: number, deed: () => void, restMs: (ms: number) => number = () => 0): void => {
    const waitMs = -Math.log(1 - dice.next()) * seconds * 1_000;
    time.after(waitMs + restMs(time.elapsedMs + waitMs), time.world, () => {
      if (!isOn) return;
      deed();
      every(seconds, deed, restMs);
    });
  };
  const rested = (ms: number): number => restLeftMs(story, ms);
  const scene: Scene = { run, dice, wish };
  return {
    start: () => {
      isOn = true;
      for (const symbol of story.symbols) every(story.market.everySeconds, () => moveMarket(scene, symbol));
      every(story.botEverySeconds, () => botActs(scene, dice.pick(story.symbols as [string, ...string[]])), rested);
      every(story.personEverySeconds, () => personActs(scene), rested);
    },
    stop: () => {
      isOn = false;
    },
    burst: () => {
      for (let count = 0; count < 300; count += 1) {
        const state = dice.shuffle(openLegs(run))[0];
        if (state === undefined) return;
        run.venue.act("market", (it) => it.pushPosition(targetOf(state)));
      }
    },
  };
}

/** Until the next busy while begins; 0: it is one now. */
function restLeftMs({ busyMinutes, restMinutes }: Story, atMs: number): number {
  const roundMs = (busyMinutes + restMinutes) * 60_000;
  const intoMs = atMs % roundMs;
  return intoMs < busyMinutes * 60_000 ? 0 : roundMs - intoMs;
}

interface Scene {
  readonly run: Run;
  readonly dice: Random;
  readonly wish: (wish: IntentWish) => void;
}

export const openLegs = ({ venue }: Run): LegState[] => venue.states().filter(({ side }) => side !== null);

const targetOf = ({ symbol, positionIdx }: LegState) => ({ symbol, positionIdx });

export function instrumentOf({ venue }: Run, symbol: string): SimInstrument {
  const found = [...venue.exchange.world.instruments.values()].find((one) => one.symbol === symbol);
  if (found === undefined) throw new Error(`no instrument ${symbol}`);
  return found;
}

export function markOf({ venue, time }: Run, symbol: string): Decimal {
  const mark = venue.marks(symbol, time.elapsedMs).at(-1)?.mark;
  if (mark === undefined) throw new Error(`no mark of ${symbol}`);
  return mark;
}

/** Somewhere between the two fractions away from the price, towards loss (or, mirrored, profit). */
function away(scene: Scene, symbol: string, side: Side, [from, to]: readonly [number, number], toLoss = true): Decimal {
  const share = from + scene.dice.next() * (to - from);
  const isDown = (side === "long") === toLoss;
  const price = markOf(scene.run, symbol).times(isDown ? 1 - share : 1 + share);
  return toTick(price, instrumentOf(scene.run, symbol).tickSize, isDown ? "down" : "up");
}

function moveMarket({ run, dice }: Scene, symbol: string): void {
  const { market } = run.story;
  const isGap = dice.next() < market.gapChance;
  const size = (isGap ? market.gapPercent : market.stepPercent) / 100;
  const share = (dice.next() + dice.next() + dice.next() - 1.5) * 1.4 * size;
  const { tickSize, startPrice } = instrumentOf(run, symbol);
  const now = markOf(run, symbol);
  // Drawn back to where it began, so that six hours later there is still a market.
  const pull = startPrice.div(now).toNumber() ** 0.02;
  const mark = toTick(now.times((1 + share) * pull), tickSize, "down");
  const off = (): string => print(toTick(mark.times(1 + (dice.next() - 0.5) * 0.0004), tickSize, "down"));
  if (mark.lte(0)) return;
  run.venue.act("market", (it) => it.setPrice({ symbol, mark: print(mark), last: off(), index: off() }));
}

function sizeOf(scene: Scene, symbol: string): string {
  const { category, qtyStep } = instrumentOf(scene.run, symbol);
  const dollars = scene.dice.between(200, 20_000);
  const size = category === "inverse" ? dec(String(dollars)) : dec(String(dollars)).div(markOf(scene.run, symbol));
  const steps = toTick(size, qtyStep, "up");
  return print(steps);
}

function botActs(scene: Scene, symbol: string): void {
  const { run, dice } = scene;
  const held = openLegs(run).filter((one) => one.symbol === symbol);
  const state = held[dice.between(0, Math.max(0, held.length - 1))];
  const roll = dice.next();
  if (state === undefined)
    return roll < 0.7 ? opens(scene, symbol) : roll < 0.85 ? rests(scene, symbol) : wishes(scene, symbol, null);
  if (roll < 0.12) return opens(scene, symbol);
  if (roll < 0.2) return grows(scene, state);
  if (roll < 0.3) return void run.venue.act("bot", (it) => it.reduce({ ...targetOf(state), size: part(scene, state) }));
  if (roll < 0.36 && state.positionIdx === 0) return void run.venue.act("bot", (it) => it.flip({ symbol }));
  if (roll < 0.5) return void run.venue.act("bot", (it) => it.close(targetOf(state)));
  if (roll < 0.66) return setsStop(scene, state, "bot");
  if (roll < 0.72) return forgets(scene, state);
  if (roll < 0.78) return cancelsThenCreates(scene, state);
  if (roll < 0.83) return legs(scene, state);
  if (roll < 0.88) return rests(scene, symbol);
  return wishes(scene, symbol, state);
}

function part(scene: Scene, { symbol, size }: LegState): string {
  const { qtyStep } = instrumentOf(scene.run, symbol);
  return print(toTick(size.times(0.2 + scene.dice.next() * 0.5), qtyStep, "up"));
}

function opens(scene: Scene, symbol: string): void {
  const { run, dice } = scene;
  const held = openLegs(run).find((one) => one.symbol === symbol && one.positionIdx === 0);
  const side = held?.side ?? dice.pick(["long", "short"] as const);
  const carries = dice.next();
  const stopLoss = carries < 0.35 ? { stopLoss: print(away(scene, symbol, side, [0.004, 0.04])) } : {};
  const takeProfit =
    carries > 0.2 && carries < 0.4 ? { takeProfit: print(away(scene, symbol, side, [0.01, 0.05], false)) } : {};
  const input = { symbol, side, size: sizeOf(scene, symbol), ...stopLoss, ...takeProfit };
  run.venue.act("bot", (it) => it.open(input));
}

function grows(scene: Scene, { symbol, side }: LegState): void {
  if (side !== null) scene.run.venue.act("bot", (it) => it.open({ symbol, side, size: sizeOf(scene, symbol) }));
}

/** Entry orders wait for their price; some bring their own stop. */
function rests(scene: Scene, symbol: string): void {
  const { run, dice } = scene;
  const side = dice.pick(["long", "short"] as const);
  const price = away(scene, symbol, side, [0.0005, 0.01]);
  const stop = side === "long" ? price.times(0.985) : price.times(1.015);
  const carries =
    dice.next() < 0.3
      ? { stopLoss: print(toTick(stop, instrumentOf(run, symbol).tickSize, "down")), tpslMode: "Full" }
      : {};
  const order = {
    symbol,
    side: side === "long" ? "Buy" : "Sell",
    orderType: "Limit",
    price: print(price),
    qty: sizeOf(scene, symbol),
    positionIdx: run.story.hedge ? (side === "long" ? 1 : 2) : 0,
    orderLinkId: `bot-${Math.floor(dice.next() * 1e9)}`,
    ...carries,
  };
  if (run.venue.act("bot", (it) => it.placeOrder(order)) && run.story.intents && dice.next() < 0.4) {
    const idx = order.positionIdx as PositionIdx;
    const level = side === "long" ? price.times(0.98) : price.times(1.02);
    const stopLoss = print(toTick(level, instrumentOf(run, symbol).tickSize, "down"));
    const wish = { symbol, positionIdx: idx, side, stopLoss, takeProfit: null, orderLinkId: order.orderLinkId };
    scene.wish({ ...wish, allowLoosen: false, waivedForMs: null });
  }
}

/** Tighter, looser, or by another price: whatever a hand may do. */
function setsStop(scene: Scene, state: LegState, who: "bot" | "person"): void {
  const { symbol, side, positionIdx } = state;
  if (side === null) return;
  const { dice, run } = scene;
  const stopLoss = print(away(scene, symbol, side, [0.002, 0.06]));
  const slTriggerBy = dice.pick(["MarkPrice", "MarkPrice", "LastPrice"] as const);
  run.venue.act(who, (it) => it.tradingStop({ symbol, positionIdx, stopLoss, slTriggerBy, tpslMode: "Full" }));
}

function forgets(scene: Scene, { symbol, positionIdx }: LegState): void {
  scene.run.venue.act("bot", (it) => it.tradingStop({ symbol, positionIdx, stopLoss: "0", tpslMode: "Full" }));
}

function cancelsThenCreates(scene: Scene, state: LegState): void {
  const { run, dice } = scene;
  const { leg, life } = state;
  forgets(scene, state);
  const pauseMs = dice.between(50, 4_000);
  run.time.after(pauseMs, run.time.world, () => {
    const later = run.venue.state(leg);
    if (!run.isCalm && later?.life === life && later.side !== null) setsStop(scene, later, "bot");
  });
}

function legs(scene: Scene, state: LegState): void {
  const { run, dice } = scene;
  const { symbol, side, positionIdx } = state;
  if (side === null) return;
  const stopLoss = print(away(scene, symbol, side, [0.004, 0.03]));
  if (dice.next() < 0.5) {
    const leg = { size: part(scene, state), stopLoss, triggerBy: "MarkPrice" as const };
    run.venue.act("bot", (it) => it.addPartialLegs({ ...targetOf(state), legs: [leg] }));
    return;
  }
  const order = {
    symbol,
    side: side === "long" ? "Sell" : "Buy",
    orderType: "Market",
    qty: dice.next() < 0.5 ? print(state.size) : part(scene, state),
    triggerPrice: stopLoss,
    triggerBy: "MarkPrice",
    reduceOnly: true,
    positionIdx,
  };
  run.venue.act("bot", (it) => it.placeOrder(order));
}

function wishes(scene: Scene, symbol: string, state: LegState | null): void {
  const { run, dice, wish } = scene;
  if (!run.story.intents) return;
  const side = state?.side ?? dice.pick(["long", "short"] as const);
  const positionIdx = state?.positionIdx ?? (run.story.hedge ? (side === "long" ? 1 : 2) : 0);
  const isWaiver = state !== null && dice.next() < 0.15;
  wish({
    symbol,
    positionIdx,
    side,
    stopLoss: isWaiver ? null : print(away(scene, symbol, side, [0.003, 0.04])),
    takeProfit: dice.next() < 0.3 ? print(away(scene, symbol, side, [0.01, 0.05], false)) : null,
    orderLinkId: null,
    allowLoosen: !isWaiver && dice.next() < 0.3,
    waivedForMs: isWaiver ? dice.between(30_000, 900_000) : null,
  });
}

function personActs(scene: Scene): void {
  const { run, dice } = scene;
  const held = openLegs(run);
  const state = held[dice.between(0, Math.max(0, held.length - 1))];
  if (state === undefined) return;
  const roll = dice.next();
  if (roll < 0.7) return setsStop(scene, state, "person");
  if (roll < 0.8) return forgets(scene, state);
  const { symbol, side, positionIdx } = state;
  if (side === null) return;
  if (roll < 0.9) {
    const takeProfit = print(away(scene, symbol, side, [0.005, 0.05], false));
    run.venue.act("person", (it) =>
      it.tradingStop({ symbol, positionIdx, takeProfit, tpTriggerBy: "LastPrice", tpslMode: "Full" }),
    );
    return;
  }
  run.venue.act("person", (it) => it.close(targetOf(state)));
}
