/** One question to the exchange, what our documents expect, and how it is asked. */
import { type Bench, mustBe, Unsettled } from "./bench.js";
import { type Decimal, print } from "../../domain/decimal.js";
import { type Reply, type Row, textIn } from "./wire.js";

export interface Experiment {
  readonly name: string;
  readonly question: string;
  /** The answer that docs/exchange.md and the simulated exchange rest on, in the words of `Seen.answer`. */
  readonly expected: string;
  /** Begins and ends with nothing in the contract; what it leaves is cleared by the caller. @throws Unsettled */
  readonly run: (bench: Bench) => Promise<Seen>;
}

export interface Seen {
  /** One of a few wordings, so that it can be compared. */
  readonly answer: string;
  /** Prices, codes and the exchange's own words. */
  readonly detail: string;
  /** Where this key or contract makes another answer the expected one. */
  readonly expected?: string;
}

/** `accepted`, or the refusal as the program understands it. */
export function understood(reply: Reply): Seen {
  if (reply.accepted) return { answer: "accepted", detail: "" };
  assertAllowed(reply);
  return { answer: `refused as ${reply.cause}`, detail: reply.words };
}

/** `accepted`, or the refusal by its code: where the program need not understand it. */
export function byCode(reply: Reply): Seen {
  if (reply.accepted) return { answer: "accepted", detail: "" };
  assertAllowed(reply);
  return { answer: `refused with ${reply.retCode}`, detail: reply.words };
}

/** That the key may not ask says nothing of what would be answered. */
function assertAllowed(reply: Reply & { readonly accepted: false }): void {
  if (reply.cause === "permission") throw new Unsettled(`the key may not ask this: ${reply.words}`);
}

/** A long of so many units with a Full stop 3% below, which is seen to rest; its row. */
export async function stoppedLong(bench: Bench, units: number): Promise<Row> {
  await bench.trade("Buy", units);
  const stopLoss = print(await bench.level("-3"));
  await bench.setExits({ stopLoss, slTriggerBy: "MarkPrice" });
  return bench
    .awaited(
      () => fullStop(bench),
      (row) => row !== null,
    )
    .then(existing);
}

export async function fullStop(bench: Bench): Promise<Row | null> {
  return (await bench.exitOrders()).find((row) => textIn(row, "stopOrderType") === "StopLoss") ?? null;
}

/** Three per cent above: nothing that a test needs comes near it within seconds. */
export async function farTakeProfit(bench: Bench): Promise<string> {
  return print(await bench.level("3"));
}

export function existing(row: Row | null): Row {
  return row ?? mustBe({ accepted: false, cause: "gone", retCode: 0, words: "the stop that was set never showed" });
}

export function sameSize(one: Decimal | null, other: Decimal): boolean {
  return one?.eq(other) ?? false;
}
