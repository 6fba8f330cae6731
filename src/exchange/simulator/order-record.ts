/** A new order's record: every field that its maker does not state has its resting default. */
import { type SimOrder, type World, ZERO, pricesOf } from "./world.js";

type Required = "instrument" | "positionIdx" | "side" | "orderType" | "createType" | "qty";
export type OrderFacts = Pick<SimOrder, Required> & Partial<Omit<SimOrder, "rank" | "orderId">>;

export function newOrder(world: World, facts: OrderFacts): SimOrder {
  const atMs = world.now();
  return {
    rank: ++world.rank,
    orderId: world.random.uuid(),
    orderLinkId: "",
    parentOrderLinkId: "",
    timeInForce: facts.orderType === "Market" ? "IOC" : "GTC",
    stopOrderType: "",
    reduceOnly: false,
    closeOnTrigger: false,
    tpslMode: "",
    price: null,
    filledQty: ZERO,
    filledValue: ZERO,
    status: "New",
    triggerPrice: null,
    triggerBy: null,
    triggerDirection: 0,
    attached: null,
    pairId: null,
    trailing: null,
    cancelType: "UNKNOWN",
    rejectReason: "EC_NoError",
    lastPriceOnCreated: pricesOf(world, facts.instrument).last,
    createdAtMs: atMs,
    updatedAtMs: atMs,
    visibleAtMs: atMs,
    lag: null,
    restedInMove: -1,
    ...facts,
  };
}
