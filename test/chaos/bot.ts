/** The bot beside the sidecar, and the market: opens, grows, shrinks, flips and closes, sets and cancels exits by hand. */
import { type Decimal, dec, print } from "../../src/domain/decimal.js";
import { toTick } from "../../src/domain/price.js";
import type { PositionSnapshot } from "../../src/exchange/simulator/index.js";
import type { Random } from "../../src/exchange/simulator/random.js";
import type { Actor, ExchangeRecord } from "./record.js";

interface Contract {
  readonly symbol: string;
  readonly isHedge: boolean;
  readonly price: Decimal;
  readonly tick: Decimal;
  readonly size: string;
}

const contract = (symbol: string, price: string, tick: string, size: string, isHedge = false): Contract => ({
  symbol,
  isHedge,
  price: dec(price),
  tick: dec(tick),
  size,
});

/** As the simulated exchange lists them. */
export const CONTRACTS: readonly [Contract, ...Contract[]] = [
  contract("BTCUSDT", "64250.50", "0.10", "0.05"),
  contract("ETHUSDT", "3120.42", "0.01", "0.5"),
  contract("XRPUSDT", "0.5871", "0.0001", "100"),
  contract("SOLUSDT", "148.330", "0.010", "2", true),
  contract("LINKUSDT", "13.982", "0.001", "10", true),
];

export const TICKS: ReadonlyMap<string, Decimal> = new Map(CONTRACTS.map(({ symbol, tick }) => [symbol, tick]));

export interface Bot {
  /** One thing, now. */
  act(): void;
  /** Opens one where nothing is open; true: there was room. */
  open(): boolean;
  /** Again and again until the returned function is called. */
  start(): () => void;
  readonly opened: number;
}

/** Mean time between two deeds. */
const EVERY_MS = 120;

export function openBot(record: ExchangeRecord, dice: Random): Bot {
  let opened = 0;
  const positions = (): readonly PositionSnapshot[] =>
    record.exchange.snapshot().accounts.find(({ name }) => name === record.account)?.positions ?? [];

  function does(actor: Actor, deed: Parameters<ExchangeRecord["act"]>[1]): boolean {
    return record.act(actor, deed);
  }

  function open(): boolean {
    const taken = new Set(positions().map(({ symbol, side }) => `${symbol}/${side}`));
    const sides = ["long", "short"] as const;
    const room = CONTRACTS.flatMap((one) => {
      const free = sides.filter((side) => !taken.has(`${one.symbol}/${side}`));
      // In one-way mode the other side is no room but a flip.
      return one.isHedge || free.length === sides.length ? free.map((side) => ({ one, side })) : [];
    });
    const chosen = dice.shuffle(room)[0];
    if (chosen === undefined) return false;
    const { one, side } = chosen;
    const isDone = does("bot", (exchange) =>
      exchange.open({ symbol: one.symbol, side, size: one.size, hedge: one.isHedge }),
    );
    if (isDone) opened += 1;
    return isDone;
  }

  /** A step of a walk that does not leave its surroundings. */
  function moveMarket(): void {
    const { symbol, price: start, tick } = dice.pick(CONTRACTS);
    const mark = positions().find((one) => one.symbol === symbol)?.markPrice;
    const from = mark === undefined ? start : dec(mark);
    const pull = start.minus(from).div(start).times("0.1");
    const step = dec(((dice.next() - 0.5) * 0.014).toFixed(6)).plus(pull);
    const price = print(toTick(from.times(step.plus(1)), tick, "up"));
    does("market", (exchange) => exchange.setPrice({ symbol, price, steps: dice.between(1, 4) }));
  }

  function withPosition(deed: (position: PositionSnapshot) => void): void {
    const chosen = dice.shuffle(positions())[0];
    if (chosen === undefined) open();
    else deed(chosen);
  }

  function grow({ symbol, positionIdx, side }: PositionSnapshot): void {
    const size = CONTRACTS.find((one) => one.symbol === symbol)?.size ?? "1";
    does("bot", (exchange) => exchange.open({ symbol, positionIdx: idxOf(positionIdx), side, size }));
  }

  function shrink({ symbol, positionIdx, size }: PositionSnapshot): void {
    const half = print(dec(size).div(2).toDecimalPlaces(3));
    does("bot", (exchange) => exchange.reduce({ symbol, positionIdx: idxOf(positionIdx), size: half }));
  }

  function flipOrClose({ symbol, positionIdx }: PositionSnapshot): void {
    if (positionIdx === 0 && dice.next() < 0.5) {
      if (does("bot", (exchange) => exchange.flip({ symbol }))) opened += 1;
    } else does("bot", (exchange) => exchange.close({ symbol, positionIdx: idxOf(positionIdx) }));
  }

  function cancelExit({ symbol, positionIdx }: PositionSnapshot): void {
    const account = record.exchange.snapshot().accounts.find(({ name }) => name === record.account);
    const exits = (account?.orders ?? []).filter((one) => one.symbol === symbol && one.positionIdx === positionIdx);
    const orderId = dice.shuffle(exits)[0]?.orderId;
    if (orderId !== undefined) does("bot", (exchange) => exchange.cancelOrder({ orderId }));
  }

  /** A stop of its own, tighter or looser than what stands: somewhere up to three percent from the mark. */
  function setStop({ symbol, positionIdx, side, markPrice }: PositionSnapshot): void {
    const tick = TICKS.get(symbol) ?? dec("0.01");
    const share = dec((0.006 + dice.next() * 0.024).toFixed(6));
    const price = dec(markPrice).times(side === "long" ? dec("1").minus(share) : share.plus(1));
    const stopLoss = print(toTick(price, tick, "down"));
    const body = { symbol, positionIdx, tpslMode: "Full", stopLoss, slTriggerBy: "MarkPrice" };
    does("bot", (exchange) => exchange.tradingStop(body));
  }

  function act(): void {
    const number = dice.next();
    if (number < 0.3) moveMarket();
    else if (number < 0.5) open();
    else if (number < 0.58) withPosition(grow);
    else if (number < 0.66) withPosition(shrink);
    else if (number < 0.8) withPosition(flipOrClose);
    else if (number < 0.92) withPosition(cancelExit);
    else withPosition(setStop);
  }

  return {
    act,
    open,
    start: () => {
      let timer: NodeJS.Timeout | undefined;
      const next = (): void => {
        timer = setTimeout(
          () => {
            act();
            next();
          },
          dice.between(EVERY_MS / 4, EVERY_MS * 2),
        );
      };
      next();
      return () => clearTimeout(timer);
    },
    get opened() {
      return opened;
    },
  };
}

const idxOf = (idx: number): 0 | 1 | 2 => (idx === 1 ? 1 : idx === 2 ? 2 : 0);
