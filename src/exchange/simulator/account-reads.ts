/** The account itself: settings, wallet, key facts and position modes (docs/v5/account, docs/v5/user). */
import { type Decimal, dec } from "../../domain/decimal.js";
import { amountText } from "./formats.js";
import { type Params, oneOf, requiredText, textOf } from "./parameters.js";
import { Refusal, invalidParameter } from "./refusal.js";
import { profit, valueOf } from "./valuation.js";
import {
  type Account,
  type PositionMode,
  type Row,
  type World,
  ZERO,
  hedgeable,
  instrumentKey,
  instrumentOf,
  isOpen,
  legsOf,
  modeOf,
  pricesOf,
} from "./world.js";

/** GET /v5/account/query-dcp-info: empty unless the account has it. */
export function disconnectInfo(account: Account): Row {
  return { dcpInfos: account.dcp ? [{ product: "DERIVATIVES", dcpStatus: "ON", timeWindow: "10" }] : [] };
}

export function accountInfo(account: Account): Row {
  return {
    marginMode: account.marginMode,
    updatedTime: "1697078946000",
    unifiedMarginStatus: 5,
    dcpStatus: "OFF",
    timeWindow: 10,
    smpGroup: 0,
    isMasterTrader: account.isMasterTrader,
    spotHedgingStatus: "OFF",
  };
}

/** Profit of open positions at mark, by settle coin. */
export function unrealised(world: World, account: Account): Map<string, Decimal> {
  const sums = new Map<string, Decimal>();
  for (const { instrument, side, size, entryPrice } of account.legs.values()) {
    if (side === "" || size.isZero()) continue;
    const open = profit(instrument, side, entryPrice, pricesOf(world, instrument).mark, size);
    sums.set(instrument.settleCoin, (sums.get(instrument.settleCoin) ?? ZERO).plus(open));
  }
  return sums;
}

/** Dollar coins count one to one, others at their inverse contract's index. */
export function dollarRate(world: World, coin: string): Decimal {
  if (coin === "USDT" || coin === "USDC") return dec("1");
  const inverse = world.instruments.get(instrumentKey("inverse", `${coin}USD`));
  return inverse === undefined ? ZERO : pricesOf(world, inverse).index;
}

export function walletBalance(world: World, account: Account, params: Params): Row {
  if (requiredText(params, "accountType") !== "UNIFIED") throw invalidParameter("accountType");
  const wanted = textOf(params, "coin")?.split(",");
  const open = unrealised(world, account);
  const coins = [...account.balances].map(([coin, balance]) => {
    const equity = balance.plus(open.get(coin) ?? ZERO);
    return { coin, balance, equity, usd: equity.times(dollarRate(world, coin)) };
  });
  const total = amountText(coins.reduce((sum, { usd }) => sum.plus(usd), ZERO));
  const isolated = account.marginMode === "ISOLATED_MARGIN";
  return {
    list: [
      {
        accountType: "UNIFIED",
        totalEquity: total,
        totalWalletBalance: total,
        totalMarginBalance: isolated ? "" : total,
        totalAvailableBalance: isolated ? "" : total,
        totalPerpUPL: amountText(
          [...open].reduce((sum, [coin, pnl]) => sum.plus(pnl.times(dollarRate(world, coin))), ZERO),
        ),
        totalInitialMargin: isolated ? "" : amountText(usedMargin(world, account)),
        totalMaintenanceMargin: isolated ? "" : "0",
        accountIMRate: isolated ? "" : "0",
        accountMMRate: isolated ? "" : "0",
        accountLTV: "0",
        coin: coins
          .filter(({ coin }) => wanted === undefined || wanted.includes(coin))
          .map(({ coin, balance, equity, usd }) => ({
            coin,
            equity: amountText(equity),
            usdValue: amountText(usd),
            walletBalance: amountText(balance),
            unrealisedPnl: amountText(open.get(coin) ?? ZERO),
            cumRealisedPnl: amountText(account.realised.get(coin) ?? ZERO),
            locked: "0",
            borrowAmount: "0",
            accruedInterest: "0",
            bonus: "0",
            totalOrderIM: "0",
            totalPositionIM: "0",
            totalPositionMM: "0",
            marginCollateral: true,
            collateralSwitch: true,
            spotBorrow: "0",
          })),
      },
    ],
  };
}

function usedMargin(world: World, account: Account): Decimal {
  return [...account.legs.values()].reduce((sum, { instrument, size, entryPrice, leverage }) => {
    const margin = valueOf(instrument, size, entryPrice).div(leverage);
    return sum.plus(margin.times(dollarRate(world, instrument.settleCoin)));
  }, ZERO);
}

/** Any key may ask this about itself. */
export function keyFacts(account: Account): Row {
  return {
    id: String(account.uid),
    note: account.name,
    apiKey: account.key,
    readOnly: account.readOnly ? 1 : 0,
    secret: "",
    permissions: account.permissions,
    ips: account.ips.length === 0 ? ["*"] : account.ips,
    type: 1,
    deadlineDay: account.ips.length === 0 ? 60 : -2,
    expiredAt: account.ips.length === 0 ? "2099-01-01T00:00:00Z" : "1970-01-01T00:00:00Z",
    createdAt: "2024-01-01T00:00:00Z",
    unified: 0,
    uta: 1,
    userID: account.uid,
    inviterID: 0,
    vipLevel: "No VIP",
    mktMakerLevel: "0",
    affiliateID: 0,
    rsaPublicKey: "",
    isMaster: true,
    parentUid: "0",
    kycLevel: "LEVEL_DEFAULT",
    kycRegion: "",
  };
}

/** POST /v5/position/switch-mode: 0 one-way, 3 hedge; by symbol or for all contracts of a settle coin. */
export function switchMode(world: World, account: Account, params: Params): Row {
  const category = requiredText(params, "category");
  const wanted = params["mode"] === 3 ? "hedge" : params["mode"] === 0 ? "one-way" : null;
  if (wanted === null) throw invalidParameter("position_mode");
  const symbol = textOf(params, "symbol");
  const coin = oneOf(params, "coin", ["USDT"]);
  if (symbol === undefined && coin === undefined) throw invalidParameter("symbol");
  const instruments =
    symbol === undefined ? [...world.instruments.values()].filter(hedgeable) : [instrumentOf(world, category, symbol)];
  if (!instruments.every(hedgeable)) throw new Refusal(110029, "Hedge mode is not supported for this symbol.");
  if (instruments.every((one) => modeOf(account, one) === wanted)) {
    throw new Refusal(110025, "Position mode is not modified");
  }
  for (const instrument of instruments) {
    if (legsOf(account, instrument).some((leg) => leg.size.gt(0))) {
      throw new Refusal(110024, "You have an existing position, so the position mode cannot be switched.");
    }
    if (account.orders.some((order) => order.instrument === instrument && isOpen(order))) {
      throw new Refusal(110028, "You have existing open orders, so the position mode cannot be switched.");
    }
  }
  for (const instrument of instruments) setMode(account, instrument.symbol, wanted);
  if (symbol === undefined) account.positionMode = wanted;
  return {};
}

export function setMode(account: Account, symbol: string, mode: PositionMode): void {
  account.modes.set(symbol, mode);
}
