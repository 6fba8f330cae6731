/** Questions about what becomes of exits when their position shrinks, grows, flips or ends. */
import { dec, print } from "../../domain/decimal.js";
import { type Bench, signedSize, Unsettled } from "./bench.js";
import { type Experiment, existing, fullStop, sameSize, stoppedLong } from "./experiment.js";
import { decimalIn, type Row, textIn } from "./wire.js";

const REDUCES = { reduceOnly: true };

export const ABOUT_SIZES: readonly Experiment[] = [
  {
    name: "full-after-partial-close",
    question: "Does a Full stop follow the size when a part is closed?",
    expected: "follows the size",
    run: async (bench) => {
      await stoppedLong(bench, 2);
      await bench.trade("Sell", 1, REDUCES);
      await bench.calm();
      const row = existing(await fullStop(bench));
      const quantity = decimalIn(row, "qty");
      const answer = sameSize(quantity, bench.contract.unit) ? "follows the size" : "keeps its quantity";
      return { answer, detail: `1 of 2 units left; quantity ${textIn(row, "qty")}` };
    },
  },
  {
    name: "partial-after-partial-close",
    question: "What becomes of Partial stops that are larger than what is left?",
    expected: "stay as they are",
    run: async (bench) => {
      await bench.trade("Buy", 3);
      await addLeg(bench, 2, "-3");
      await addLeg(bench, 1, "-4");
      const before = quantities(
        await bench.awaited(
          () => bench.exitOrders(),
          (rows) => rows.length === 2,
        ),
      );
      await bench.trade("Sell", 2, REDUCES);
      await bench.calm();
      const after = quantities(await bench.exitOrders());
      return {
        answer: partialAnswer(before, after),
        detail: `3 units, then 1; legs ${before.join("+")}, then ${after.join("+") || "none"}`,
      };
    },
  },
  {
    name: "partial-after-close",
    question: "Do Partial stops go when their position is closed?",
    expected: "gone",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      await addLeg(bench, 1, "-3");
      await bench.trade("Sell", 1, REDUCES);
      await bench.calm();
      const left = await bench.exitOrders();
      return { answer: left.length === 0 ? "gone" : "left behind", detail: `${left.length} left` };
    },
  },
  {
    name: "flip",
    question: "What becomes of a Full stop when one order turns the position around?",
    expected: "cleared",
    run: async (bench) => {
      if (bench.contract.positionIdx !== 0) throw new Unsettled("the contract is in hedge mode, where nothing flips");
      const old = textIn(await stoppedLong(bench, 1), "orderId");
      await bench.trade("Sell", 2);
      await bench.calm();
      const [position, exits] = await Promise.all([bench.position(), bench.exitOrders()]);
      if (!signedSize(position).lt(0)) throw new Unsettled("the position did not turn into a short");
      const isOld = exits.some((row) => textIn(row, "orderId") === old);
      const answer = exits.length === 0 ? "cleared" : isOld ? "the old stop stays" : "another stop rests";
      return { answer, detail: `long 1 unit, now short; ${exits.map(exitText).join(", ") || "no exit"}` };
    },
  },
  {
    name: "entry-replaces-stop",
    question: "Does an order that grows the position replace its stop by the one that it brings?",
    expected: "replaced",
    run: async (bench) => {
      const before = await stoppedLong(bench, 1);
      const brought = await bench.level("-4");
      const attached = { stopLoss: print(brought), slTriggerBy: "MarkPrice", tpslMode: "Full" };
      await bench.trade("Buy", 1, attached);
      await bench.calm();
      const rows = await bench.exitOrders();
      const stands = rows.map((row) => decimalIn(row, "triggerPrice") ?? dec("0"));
      const isReplaced = stands.length === 1 && (stands[0]?.eq(brought) ?? false);
      const answer = isReplaced ? "replaced" : stands.length > 1 ? "both stand" : "kept";
      return { answer, detail: `${textIn(before, "triggerPrice")}, then ${stands.map(print).join(" and ") || "none"}` };
    },
  },
];

async function addLeg(bench: Bench, units: number, percent: string): Promise<void> {
  const slSize = print(bench.contract.unit.times(units));
  const stopLoss = print(await bench.level(percent));
  await bench.setExits({ tpslMode: "Partial", stopLoss, slSize, slTriggerBy: "MarkPrice" });
}

function quantities(rows: readonly Row[]): readonly string[] {
  return rows.map((row) => print(decimalIn(row, "qty") ?? dec("0"))).toSorted();
}

function partialAnswer(before: readonly string[], after: readonly string[]): string {
  if (after.length === 0) return "go";
  if (after.join() === before.join()) return "stay as they are";
  return after.length < before.length ? "some go" : "shrink";
}

function exitText(row: Row): string {
  return `${textIn(row, "stopOrderType")} ${textIn(row, "side")} at ${textIn(row, "triggerPrice")}`;
}
