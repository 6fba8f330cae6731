/** Positions for tests: valid from the start, so that a test says only what differs. */
import { type Decimal, dec } from "../../src/domain/decimal.js";
import type { Category, Position, PositionIdx, Side, UnreadablePosition } from "../../src/domain/position.js";

/** Prices and sizes as plain text; null where the exchange states none. */
export interface PositionShape {
  readonly account: string;
  readonly category: Category;
  readonly symbol: string;
  readonly positionIdx: PositionIdx;
  readonly side: Side;
  readonly size: string;
  readonly entry: string;
  readonly mark: string | null;
  readonly liquidation: string | null;
  readonly state: Position["state"];
  readonly fullStop: string | null;
  readonly fullTakeProfit: string | null;
  readonly openedAtMs: number | null;
}

const USUAL: PositionShape = {
  account: "main",
  category: "linear",
  symbol: "BTCUSDT",
  positionIdx: 0,
  side: "long",
  size: "1",
  entry: "100",
  mark: "100",
  liquidation: null,
  state: "normal",
  fullStop: null,
  fullTakeProfit: null,
  openedAtMs: 1_000,
};

/** A long of 1 from 100 with the mark at 100, so that percentages can be read off. */
export function aPosition(overrides: Partial<PositionShape> = {}): Position {
  const shape = { ...USUAL, ...overrides };
  const { account, category, symbol, positionIdx, side, state, openedAtMs } = shape;
  return {
    key: { account, category, symbol, positionIdx },
    side,
    size: dec(shape.size),
    entryPrice: dec(shape.entry),
    markPrice: decimalOrNull(shape.mark),
    liquidationPrice: decimalOrNull(shape.liquidation),
    leverage: dec("10"),
    state,
    fullStopLoss: decimalOrNull(shape.fullStop),
    fullTakeProfit: decimalOrNull(shape.fullTakeProfit),
    openedAtMs,
  };
}

export function aShort(overrides: Partial<PositionShape> = {}): Position {
  return aPosition({ side: "short", ...overrides });
}

export function anUnreadablePosition(overrides: Partial<UnreadablePosition> = {}): UnreadablePosition {
  return {
    account: "main",
    category: "linear",
    symbol: "BTCUSDT",
    positionIdx: 0,
    side: null,
    reason: 'side is "Both"',
    ...overrides,
  };
}

export function decimalOrNull(text: string | null): Decimal | null {
  return text === null ? null : dec(text);
}
