/** Where the exchange's words end: position rows, instruments, tickers and keys become the nouns of this program. */
import type { Instrument, Ticker } from "../../domain/instrument.js";
import type { Category, MarginMode, Position, PositionIdx, Side, UnreadablePosition } from "../../domain/position.js";
import type { KeyInfo } from "../port.js";
import {
  decimalOf,
  isNoValue,
  misshapen,
  orNull,
  positionIdxOf,
  positiveOf,
  positiveOrNull,
  priceOrNone,
  statedPriceOrNone,
  symbolIn,
  timeOrNull,
  UnreadableField,
  wordOf,
} from "./fields.js";
import { instrumentRow, type KeyInfoWire, type PositionWire, positionRow, tickerRow } from "./schemas.js";

/** A flat row is an answer too: it tells that there is no position under this name. */
export type ReadPosition =
  | { readonly kind: "flat"; readonly symbol: string | null; readonly positionIdx: PositionIdx | null }
  | { readonly kind: "open"; readonly position: Position }
  | { readonly kind: "unreadable"; readonly row: UnreadablePosition };

const SIDES: ReadonlyMap<string, Side> = new Map([
  ["Buy", "long"],
  ["Sell", "short"],
]);

/** A row without a status is as good as normal: the status only ever restricts. */
const STATES: ReadonlyMap<string, Position["state"]> = new Map([
  ["", "normal"],
  ["Normal", "normal"],
  ["Liq", "liquidating"],
  ["Adl", "adl"],
]);

export function readPosition(account: string, category: Category, row: unknown): ReadPosition {
  const parsed = positionRow.safeParse(row);
  try {
    if (!parsed.success) throw misshapen(row, parsed.error);
    const wire = parsed.data;
    // Only a size that is there and is exactly zero is flat; a missing one is unreadable.
    if (decimalOf("size", wire.size).isZero()) return flatRow(wire);
    return { kind: "open", position: openPosition(account, category, wire) };
  } catch (error) {
    if (!(error instanceof UnreadableField)) throw error;
    const wire = parsed.success ? parsed.data : null;
    return {
      kind: "unreadable",
      row: {
        account,
        category,
        symbol: symbolIn(row),
        positionIdx: wire === null ? null : orNull(() => positionIdxOf(wire.positionIdx)),
        side: SIDES.get(wire?.side ?? "") ?? null,
        reason: error.message,
      },
    };
  }
}

function flatRow({ symbol, positionIdx }: PositionWire): ReadPosition {
  return { kind: "flat", symbol, positionIdx: orNull(() => positionIdxOf(positionIdx)) };
}

/** A row of a contract that was asked for by name: there an empty leg may have nothing in any field. */
export function readLeg(account: string, category: Category, row: unknown): ReadPosition {
  const parsed = positionRow.safeParse(row);
  return parsed.success && isBlank(parsed.data) ? flatRow(parsed.data) : readPosition(account, category, row);
}

/** docs/v5/position: no side while there is no position. */
function isBlank(wire: PositionWire): boolean {
  const { size, side, positionStatus, avgPrice, entryPrice, liqPrice, stopLoss, takeProfit } = wire;
  const isSizeless = size === null || size?.trim() === "";
  const isSideless = side === null || side === "" || side === "None";
  const isUsual = positionStatus == null || positionStatus === "" || positionStatus === "Normal";
  const prices = [avgPrice ?? entryPrice, liqPrice, stopLoss, takeProfit];
  return isSizeless && isSideless && isUsual && prices.every(isNoValue);
}

function openPosition(account: string, category: Category, wire: PositionWire): Position {
  if (wire.symbol === "") throw new UnreadableField("symbol", wire.symbol);
  const positionIdx = positionIdxOf(wire.positionIdx);
  const side = wordOf("side", wire.side, SIDES);
  // docs/v5/position: in hedge mode leg 1 is the long one and leg 2 the short one.
  if ((positionIdx === 1 && side !== "long") || (positionIdx === 2 && side !== "short")) {
    throw new UnreadableField(`side of positionIdx ${positionIdx}`, wire.side);
  }
  return {
    key: { account, category, symbol: wire.symbol, positionIdx },
    side,
    size: positiveOf("size", wire.size),
    entryPrice: positiveOf("avgPrice", wire.avgPrice ?? wire.entryPrice),
    markPrice: positiveOrNull(wire.markPrice),
    liquidationPrice: priceOrNone("liqPrice", wire.liqPrice),
    leverage: positiveOrNull(wire.leverage),
    state: wordOf("positionStatus", wire.positionStatus, STATES),
    fullStopLoss: statedPriceOrNone("stopLoss", wire.stopLoss),
    fullTakeProfit: statedPriceOrNone("takeProfit", wire.takeProfit),
    openedAtMs: timeOrNull(wire.openTime),
  };
}

/** Two rows of one name tell the same position only if what decides is the same; prices move between pages. */
export function describesSame(first: ReadPosition, second: ReadPosition): boolean {
  if (first.kind === "flat" && second.kind === "flat") return true;
  if (first.kind !== "open" || second.kind !== "open") return false;
  return decidingText(first.position) === decidingText(second.position);
}

function decidingText(position: Position): string {
  const { side, size, entryPrice, fullStopLoss, fullTakeProfit } = position;
  return [side, size, entryPrice, fullStopLoss ?? "none", fullTakeProfit ?? "none"].join(" ");
}

const INSTRUMENT_STATUS: ReadonlyMap<string, Instrument["status"]> = new Map([
  ["Trading", "trading"],
  ["PreLaunch", "pre-launch"],
  ["Delivering", "delivering"],
  ["Closed", "closed"],
]);

/** Null: a row without a usable tick, on which no price could be set. */
export function readInstrument(category: Category, row: unknown): Instrument | null {
  const parsed = instrumentRow.safeParse(row);
  const tickSize = parsed.success ? positiveOrNull(parsed.data.priceFilter.tickSize) : null;
  if (!parsed.success || tickSize === null) return null;
  const wire = parsed.data;
  return {
    category,
    symbol: wire.symbol,
    baseCoin: wire.baseCoin,
    quoteCoin: wire.quoteCoin,
    settleCoin: wire.settleCoin,
    status: INSTRUMENT_STATUS.get(wire.status ?? "") ?? "unknown",
    deliveryAtMs: timeOrNull(wire.deliveryTime),
    tickSize,
    minPrice: positiveOrNull(wire.priceFilter.minPrice),
    maxPrice: positiveOrNull(wire.priceFilter.maxPrice),
    quantityStep: positiveOrNull(wire.lotSizeFilter?.qtyStep),
    maxMarketQuantity: positiveOrNull(wire.lotSizeFilter?.maxMktOrderQty),
    preMarketPhase: phaseOf(wire.preListingInfo?.curAuctionPhase),
  };
}

export function readTicker(category: Category, row: unknown): Ticker | null {
  const parsed = tickerRow.safeParse(row);
  if (!parsed.success) return null;
  const wire = parsed.data;
  return {
    category,
    symbol: wire.symbol,
    markPrice: positiveOrNull(wire.markPrice),
    lastPrice: positiveOrNull(wire.lastPrice),
    indexPrice: positiveOrNull(wire.indexPrice),
    preMarketPhase: phaseOf(wire.curPreListingPhase),
  };
}

/** docs/v5/enum, curAuctionPhase. */
function phaseOf(phase: string | null | undefined): string | null {
  if (phase == null || phase === "") return null;
  return phase.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();
}

const MARGIN_MODES: ReadonlyMap<string, MarginMode> = new Map([
  ["ISOLATED_MARGIN", "isolated"],
  ["REGULAR_MARGIN", "cross"],
  ["PORTFOLIO_MARGIN", "portfolio"],
]);

export function marginModeOf(word: string | null | undefined): MarginMode | null {
  return MARGIN_MODES.get(word ?? "") ?? null;
}

/** A shape that nobody has seen yet must not hide a right: whatever words are there count. */
function rightsOf(rights: unknown): readonly string[] {
  if (rights == null || rights === "") return [];
  const listed: readonly unknown[] = Array.isArray(rights) ? rights : [rights];
  return listed.map((right) => (typeof right === "string" ? right : JSON.stringify(right)));
}

/** docs/v5/user/apikey-info: the expiry is meant only for keys that are bound to no address. */
export function readKeyInfo(wire: KeyInfoWire): KeyInfo {
  const listed = typeof wire.ips === "string" ? wire.ips.split(",") : (wire.ips ?? []);
  const boundAddresses = listed.map((address) => address.trim()).filter((address) => address !== "" && address !== "*");
  const expiresAtMs = Date.parse(wire.expiredAt ?? "");
  const neverExpires = boundAddresses.length > 0;
  const permissions = Object.entries(wire.permissions).map(([group, rights]) => [group, rightsOf(rights)] as const);
  return {
    readOnly: wire.readOnly === "1",
    permissions: Object.fromEntries(permissions),
    boundAddresses,
    expiresAtMs: neverExpires || Number.isNaN(expiresAtMs) || expiresAtMs <= 0 ? null : expiresAtMs,
    isMaster: wire.isMaster ?? false,
  };
}
