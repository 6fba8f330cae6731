/** Takes away what an experiment made: its orders, its position, and exits that outlived it; says what it could not. */
import { type Decimal, dec, maxOf, minOf, print } from "../../domain/decimal.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import { type Bench, isExit, type Patience, signedSize, Unsettled } from "./bench.js";
import { MOST_UNITS } from "./contract.js";
import { type Params, type Row, textIn } from "./wire.js";

export interface Clearing {
  readonly patience: Patience;
  readonly sleep: (ms: number) => Promise<void>;
}

/** One read may still miss an order that was sent a moment ago. */
const QUIET_READS = 2;

interface Leftovers {
  /** In this contract; there was none when the probe began. */
  readonly orders: readonly Row[];
  readonly position: Row;
}

/** What of a contract that was empty is not the probe's; null: nothing is there. @throws Unsettled, ExchangeFailure */
export async function intruder(bench: Bench): Promise<string | null> {
  const [orders, position] = await Promise.all([bench.openOrders(), bench.position()]);
  return described({ orders, position }, bench)[0] ?? null;
}

/**
 * Goes on until nothing has shown for a while: what was done last takes a moment to show, and where nobody knows whether
 * it was done, longer. Empty: nothing is left.
 */
export async function clear(
  bench: Bench,
  { patience, sleep }: Clearing,
  isInDoubt: boolean,
): Promise<readonly string[]> {
  const untilMs = bench.monotonicMs() + patience.clearMs;
  const spared = createSpared(bench.contract.unit.times(MOST_UNITS));
  const quietMs = isInDoubt ? patience.waitMs : patience.calmMs;
  let quietSinceMs = bench.monotonicMs();
  let left: readonly string[] = [];
  for (let quiet = 0; quiet < QUIET_READS || bench.monotonicMs() - quietSinceMs < quietMs; ) {
    try {
      const found = await look(bench);
      left = described(found, bench);
      quiet = left.length === 0 ? quiet + 1 : 0;
      if (left.length > 0) quietSinceMs = bench.monotonicMs();
      if (left.length > 0) await remove(found, bench, spared(signedSize(found.position).abs()));
    } catch (error) {
      if (!(error instanceof ExchangeFailure) && !(error instanceof Unsettled)) throw error;
      quiet = 0;
      quietSinceMs = bench.monotonicMs();
      left = [`unknown, what is left in ${bench.contract.symbol} could not be read or removed: ${error.message}`];
    }
    if (bench.monotonicMs() >= untilMs) return left;
    await sleep(patience.stepMs);
  }
  return [];
}

async function look(bench: Bench): Promise<Leftovers> {
  const [orders, position] = await Promise.all([bench.openOrders(), bench.position()]);
  return { position, orders: orders.filter((row) => isOurs(row, bench)) };
}

/** By our name; exits have none, and belong to a position that only we opened. */
function isOurs(row: Row, { linkPrefix }: Bench): boolean {
  return textIn(row, "orderLinkId").startsWith(linkPrefix) || isExit(row);
}

/** Of a position of so much now, what the probe cannot have opened: somebody else did. */
type Spared = (size: Decimal) => Decimal;

/** What was taken away so far counts too: else a large position would go in small pieces. */
function createSpared(most: Decimal): Spared {
  let last = dec("0");
  let gone = dec("0");
  return (size) => {
    gone = gone.plus(maxOf(dec("0"), last.minus(size)));
    last = size;
    return maxOf(dec("0"), gone.plus(size).minus(most));
  };
}

async function remove({ orders, position }: Leftovers, bench: Bench, spared: Decimal): Promise<void> {
  const isFlat = signedSize(position).isZero();
  // Its stops guard the position for as long as it is there, and mostly go with it.
  const removable = isFlat ? orders : orders.filter((row) => !isExit(row));
  for (const row of removable) await send(bench, "/v5/order/cancel", { orderId: textIn(row, "orderId") });
  if (!isFlat) await close(position, bench, spared);
}

/** Reduce-only, and never more than the probe may have opened. */
async function close(position: Row, bench: Bench, spared: Decimal): Promise<void> {
  const { unit, positionIdx } = bench.contract;
  const size = signedSize(position);
  const ours = minOf(size.abs().minus(spared), unit.times(MOST_UNITS));
  if (ours.lte(0)) return;
  await send(bench, "/v5/order/create", {
    side: size.gt(0) ? "Sell" : "Buy",
    orderType: "Market",
    qty: print(ours),
    reduceOnly: true,
    positionIdx,
  });
}

/** Also when the probe was told to stop: it must not leave behind what it made. A refusal is for the next read to judge. */
async function send({ wire, contract }: Bench, path: string, params: Params): Promise<void> {
  await wire.post(path, { category: "linear", symbol: contract.symbol, ...params }, () => null);
}

function described({ orders, position }: Leftovers, { contract: { symbol } }: Bench): readonly string[] {
  const size = signedSize(position);
  const held = size.isZero() ? [] : [`${symbol}: a ${size.gt(0) ? "long" : "short"} position of ${print(size.abs())}`];
  return [...held, ...orders.map((row) => `${symbol}: the order ${textIn(row, "orderId")}`)];
}
