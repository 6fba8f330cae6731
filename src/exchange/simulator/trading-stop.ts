/** POST /v5/position/trading-stop: its checks in the exchange's order, then set (Full) or add (Partial). */
import type { Decimal } from "../../domain/decimal.js";
import type { PositionIdx, TriggerBy } from "../../domain/position.js";
import { announcePosition } from "./events.js";
import { wrongSide } from "./exit-rules.js";
import { type ExitKind, type PartialExit, addPartialExits, exitsOf, setFullExit, setTrailingStop } from "./exits.js";
import { takeFault } from "./faults.js";
import { truncate } from "./formats.js";
import { type SimInstrument, inCallAuction } from "./instruments.js";
import { type Params, decimalOf, oneOf, positionIdxOf, requiredText, textOf, triggerByOf } from "./parameters.js";
import { Refusal, invalid, invalidParameter } from "./refusal.js";
import { fullExit } from "./rows.js";
import {
  type Account,
  type Leg,
  type Row,
  type TpslMode,
  type World,
  basePrice,
  instrumentOf,
  legKey,
  modeOf,
  pricesOf,
  visibleLeg,
} from "./world.js";

const PARTIAL_LEG_CAP = 20;

interface Level {
  readonly kind: ExitKind;
  /** Zero: clear. */
  readonly price: Decimal;
  readonly triggerBy: TriggerBy;
}

export function tradingStop(world: World, account: Account, params: Params): Row {
  const mode = checkCombination(params);
  const instrument = instrumentOf(world, requiredText(params, "category"), requiredText(params, "symbol"));
  refuseInMarketState(instrument);
  const positionIdx = positionIdxOf(params);
  checkMode(account, instrument, positionIdx);
  const leg = heldLeg(world, account, instrument, positionIdx);
  const levels = (["TakeProfit", "StopLoss"] as const).flatMap((kind) => levelOf(params, instrument, kind));
  for (const level of levels) checkSide(world, leg, level, mode);
  const changed =
    mode === "Full" ? applyFull(world, account, leg, levels) : applyPartial(world, account, leg, params, levels);
  const changedTrailing = changeTrailing(world, account, leg, params);
  if (!changed && !changedTrailing) throw new Refusal(34040, "not modified");
  leg.updatedAtMs = world.now();
  announcePosition(world, account, leg);
  return {};
}

/** Which parameters may stand together; all of this is judged before the symbol is looked at. */
function checkCombination(params: Params): TpslMode {
  const given = textOf(params, "tpslMode");
  if (given === undefined) {
    for (const name of ["slOrderType", "tpOrderType", "slLimitPrice", "tpLimitPrice"]) {
      if (textOf(params, name) !== undefined) throw invalid(`${name} can not have a value when tpSlMode is empty`);
    }
    return "Full";
  }
  const mode = (["Full", "Partial"] as const).find((name) => name.toLowerCase() === given.toLowerCase());
  if (mode === undefined) throw invalidParameter("tpslMode");
  const tpOrderType = oneOf(params, "tpOrderType", ["Market", "Limit"]);
  const slOrderType = oneOf(params, "slOrderType", ["Market", "Limit"]);
  if (mode === "Full") {
    if (tpOrderType === "Limit") throw invalid("tpOrderType only support Market when tpSlMode is Full");
    if (slOrderType === "Limit") throw invalid("slOrderType only support Market when tpSlMode is Full");
    return mode;
  }
  checkPartialPairs(params);
  if (tpOrderType === "Limit" && !has(params, "tpLimitPrice")) {
    throw invalid("tpLimitPrice is required when tpOrderType is limit");
  }
  if (slOrderType === "Limit" && !has(params, "slLimitPrice")) {
    throw invalid("slLimitPrice is required when slOrderType is limit");
  }
  return mode;
}

const has = (params: Params, name: string): boolean => textOf(params, name) !== undefined;

function checkPartialPairs(params: Params): void {
  const takesProfit = has(params, "takeProfit");
  const stopsLoss = has(params, "stopLoss");
  const paired = takesProfit === has(params, "tpSize") && stopsLoss === has(params, "slSize");
  if (!paired || !(takesProfit || stopsLoss)) {
    throw invalid(
      '"tpSize" and "takeProfit" or "slSize" and "stopLoss" need to input in pairs and must set at least one pair ' +
        "when tpslMode is Partial.",
    );
  }
  const tpSize = decimalOf(params, "tpSize");
  const slSize = decimalOf(params, "slSize");
  if (tpSize !== undefined && slSize !== undefined && !tpSize.eq(slSize)) {
    // The exchange names Full here although the mode is Partial.
    throw invalid("slSize and tpSize must be equal if both values are set when tpslMode is Full");
  }
}

function refuseInMarketState(instrument: SimInstrument): void {
  if (inCallAuction(instrument)) {
    throw new Refusal(110099, "You cannot create TP/SL orders during the Call Auction for Pre-Market Perpetuals.");
  }
  if (instrument.status === "Closed") throw new Refusal(110074, "This contract is not live");
}

export function checkMode(account: Account, instrument: SimInstrument, positionIdx: PositionIdx): void {
  const hedge = modeOf(account, instrument) === "hedge";
  if (hedge !== positionIdx > 0) throw invalid("position idx not match position mode");
}

function heldLeg(world: World, account: Account, instrument: SimInstrument, positionIdx: PositionIdx): Leg {
  const leg = account.legs.get(legKey(instrument, positionIdx));
  const hidden = takeFault(world.faults, ["zeroPosition"], { account: account.name }) !== undefined;
  // A leg that reads still show but that is gone already has no side for an exit either.
  const held = leg !== undefined && visibleLeg(world, leg).size.gt(0) && leg.size.gt(0);
  if (hidden || !held) throw invalid("can not set tp/sl/ts for zero position");
  return leg;
}

function levelOf(params: Params, instrument: SimInstrument, kind: ExitKind): Level[] {
  const [name, triggerName] =
    kind === "StopLoss" ? (["stopLoss", "slTriggerBy"] as const) : (["takeProfit", "tpTriggerBy"] as const);
  const triggerBy = triggerByOf(params, triggerName) ?? "LastPrice";
  const asked = decimalOf(params, name);
  if (asked === undefined) return [];
  const price = truncate(asked, instrument.tickSize);
  // Truncation must not turn a level into "0", which would clear it.
  if (price.isZero() && !asked.isZero()) throw invalidParameter(name);
  return [{ kind, price, triggerBy }];
}

function checkSide(world: World, leg: Leg, level: Level, mode: TpslMode): void {
  if (level.price.isZero()) return;
  const refusal = wrongSide({
    instrument: leg.instrument,
    side: leg.side === "Sell" ? "Sell" : "Buy",
    kind: level.kind,
    partial: mode === "Partial",
    price: level.price,
    base: basePrice(pricesOf(world, leg.instrument), level.triggerBy),
    triggerBy: level.triggerBy,
  });
  if (refusal !== null) throw refusal;
}

/** A changed trigger type is a change, also at the same price. */
function applyFull(world: World, account: Account, leg: Leg, levels: readonly Level[]): boolean {
  const changes = levels.filter((level) => {
    const standing = fullExit(account, leg, level.kind);
    if (standing === undefined) return !level.price.isZero();
    return !(standing.triggerPrice?.eq(level.price) && standing.triggerBy === level.triggerBy);
  });
  const setting = changes.filter((level) => !level.price.isZero());
  const pairId = setting.length > 1 ? world.random.uuid() : null;
  for (const level of changes) {
    setFullExit(world, account, leg, level.kind, level.price.isZero() ? null : level, pairId);
  }
  return changes.length > 0;
}

/** Partial mode only adds; "0" takes no leg away. */
function applyPartial(world: World, account: Account, leg: Leg, params: Params, levels: readonly Level[]): boolean {
  const exits = levels.filter((level) => !level.price.isZero()).map((level) => partialExit(leg, params, level));
  const standing = exitsOf(account, leg).filter((order) => order.tpslMode === "Partial").length;
  if (standing + exits.length > PARTIAL_LEG_CAP) {
    throw new Refusal(
      110061,
      `set stopLoss takeProfit exceeds the limit oldTpNum+oldStNum+newNum=(${standing + exits.length} ` +
        `the num is tp+sl) > ${PARTIAL_LEG_CAP} So set fail`,
    );
  }
  addPartialExits(world, account, leg, exits);
  return exits.length > 0;
}

function partialExit(leg: Leg, params: Params, level: Level): PartialExit {
  const prefix = level.kind === "StopLoss" ? "sl" : "tp";
  const size = decimalOf(params, `${prefix}Size`);
  const quantity = size === undefined ? leg.size : truncate(size, leg.instrument.qtyStep);
  if (quantity.isZero()) throw invalidParameter(`${prefix}Size`);
  if (quantity.gt(leg.size)) {
    throw new Refusal(
      110058,
      "You can't set take profit and stop loss due to insufficient size of remaining position size.",
    );
  }
  const limited = oneOf(params, `${prefix}OrderType`, ["Market", "Limit"]) === "Limit";
  const limit = limited ? decimalOf(params, `${prefix}LimitPrice`) : undefined;
  const limitPrice = limit === undefined ? null : truncate(limit, leg.instrument.tickSize);
  return { ...level, quantity, limitPrice };
}

/** `trailingStop` is a distance; without `activePrice` it runs from the current last price at once. */
function changeTrailing(world: World, account: Account, leg: Leg, params: Params): boolean {
  const asked = decimalOf(params, "trailingStop");
  if (asked === undefined) return false;
  const distance = truncate(asked, leg.instrument.tickSize);
  const active = decimalOf(params, "activePrice");
  const activePrice = active === undefined || active.isZero() ? null : truncate(active, leg.instrument.tickSize);
  const standing = fullExit(account, leg, "TrailingStop")?.trailing;
  if (distance.isZero()) {
    if (standing === undefined || standing === null) return false;
    setTrailingStop(world, account, leg, null);
    return true;
  }
  const sameActive = (standing?.activePrice ?? null)?.toFixed() === activePrice?.toFixed();
  if (standing?.distance.eq(distance) && sameActive) return false;
  setTrailingStop(world, account, leg, { distance, activePrice });
  return true;
}
