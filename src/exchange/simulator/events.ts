/** What happened, as it goes out on the private stream: every change of an order or position queues its row. */
import { orderRow, positionRow } from "./rows.js";
import type { Account, Leg, Row, SimOrder, Topic, World } from "./world.js";
import type { SimInstrument } from "./instruments.js";

export function announceOrder(world: World, account: Account, order: SimOrder): void {
  order.updatedAtMs = world.now();
  const atMs = order.tpslMode === "" ? world.now() : Math.max(world.now(), order.visibleAtMs, order.lag?.untilMs ?? 0);
  queue(world, account, order.instrument, "order", orderRow(world, account, order, "stream"), atMs);
}

/** Also after changes of orders only: the exchange repeats the position row then, changed or not. */
export function announcePosition(world: World, account: Account, leg: Leg): void {
  const row = positionRow(world, account, leg, "stream");
  queue(world, account, leg.instrument, "position", row, Math.max(world.now(), leg.lag?.untilMs ?? 0));
}

export function announceExecution(world: World, account: Account, instrument: SimInstrument, row: Row): void {
  queue(world, account, instrument, "execution", row, world.now());
}

function queue(world: World, account: Account, instrument: SimInstrument, topic: Topic, row: Row, atMs: number): void {
  world.outbox.push({ account: account.name, category: instrument.category, topic, row, atMs });
}
