/** An exchange that does at once and exactly what a plan asks for, as a function from account to account. */
import { type LifeRecord, UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { keyText, type Position } from "../../src/domain/position.js";
import type { PlannedStep, SetTradingStop } from "../../src/plan/step.js";
import { fullStop, takeProfit } from "./order.js";
import type { SnapshotShape } from "./snapshot.js";

export interface Carried {
  readonly shape: SnapshotShape;
  readonly lives: ReadonlyMap<string, LifeRecord>;
}

/** Carries out what is not held. */
export function carryOut(shape: SnapshotShape, steps: readonly PlannedStep[]): Carried {
  const sent = steps.filter(({ held }) => held === null).map(({ step }) => step);
  const byKey = new Map(sent.map((step) => [keyText(step.key), step] as const));
  const lives = new Map<string, LifeRecord>();
  let { orders = [] } = shape;
  const positions = (shape.positions ?? []).flatMap((position) => {
    const step = byKey.get(keyText(position.key));
    if (step === undefined) return [position];
    const isMine = (order: (typeof orders)[number]) =>
      order.symbol === position.key.symbol && order.positionIdx === position.key.positionIdx;
    if (step.action === "close-position") {
      orders = orders.filter((order) => !isMine(order));
      return [];
    }
    const replaced = new Set([
      ...(step.stopLoss === null ? [] : ["full-stop-loss"]),
      ...(step.takeProfit === null ? [] : ["full-take-profit"]),
    ]);
    const stays = orders.filter((order) => !isMine(order) || !replaced.has(order.kind) || order.state !== "waiting");
    orders = [...stays, ...newOrders(position, step)];
    lives.set(keyText(position.key), lifeAfter(step));
    return [{ ...position, ...rowAfter(position, step) }];
  });
  return { shape: { ...shape, positions, orders }, lives };
}

function newOrders(position: Position, { stopLoss, takeProfit: profit }: SetTradingStop) {
  return [
    ...(stopLoss === null ? [] : [fullStop(position, stopLoss.price.toFixed(), { triggerBy: stopLoss.triggerBy })]),
    ...(profit === null ? [] : [takeProfit(position, profit.price.toFixed(), { triggerBy: profit.triggerBy })]),
  ];
}

function rowAfter(position: Position, { stopLoss, takeProfit: profit }: SetTradingStop) {
  return {
    fullStopLoss: stopLoss?.price ?? position.fullStopLoss,
    fullTakeProfit: profit?.price ?? position.fullTakeProfit,
  };
}

function lifeAfter({ stopLoss }: SetTradingStop): LifeRecord {
  return {
    ...UNWRITTEN_LIFE,
    rebased: stopLoss?.purpose === "rebase",
    movedForLiquidation: stopLoss?.purpose === "inside-liquidation",
  };
}
