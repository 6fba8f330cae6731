/** Hands a wish of the bot to the process that writes, as its HTTP interface would. */
import { intentDocument } from "../../src/intents/document.js";
import { keepIntent, type KeepParts } from "../../src/intents/keep.js";
import { type Intent, LedgerError } from "../../src/ledger/port.js";
import { readOpenPosition } from "../../src/service/run/open-position.js";
import type { Checkers } from "./checkers/index.js";
import type { IntentWish } from "./hands.js";
import type { Run } from "./run-parts.js";
import type { Running } from "./sidecar.js";

/** Nothing where no process writes: a bot whose request is refused tries again another time. */
export function keepWish(run: Run, running: Running | undefined, wish: IntentWish, checkers: Checkers): void {
  const ledger = running?.books.ledger;
  if (running === undefined || ledger == null) return;
  const { instance } = running;
  const { symbol, positionIdx, side, waivedForMs } = wish;
  const category = symbol.endsWith("USD") ? "inverse" : "linear";
  const key = { account: "main", category, symbol, positionIdx } as const;
  run.time.after(1, instance, () => {
    const parsed = intentDocument.safeParse({
      side,
      ...(waivedForMs === null
        ? {}
        : { stopLoss: "none", reason: "maintenance", until: new Date(Date.now() + waivedForMs).toISOString() }),
      ...(wish.stopLoss === null ? {} : { stopLoss: wish.stopLoss }),
      ...(wish.takeProfit === null ? {} : { takeProfit: wish.takeProfit }),
      ...(wish.orderLinkId === null ? {} : { orderLinkId: wish.orderLinkId }),
      ...(wish.allowLoosen ? { allowLoosen: true } : {}),
    });
    if (!parsed.success) throw new Error(`a wish that is no document: ${parsed.error.message}`);
    const { guard, books } = running;
    if (guard === null) return;
    const parts: Omit<KeepParts, "newId"> = {
      shelf: ledger.shelf,
      openPosition: () => readOpenPosition(guard.pass, key, side),
      lifeOf: (position) => (books.writes.has("main") ? ledger.memory.lifeOf(position).id : null),
      now: () => Date.now(),
    };
    const newId = (): string => run.time.dice.uuid();
    const keep = async (): Promise<void> => {
      try {
        const kept = await keepIntent(key, parsed.data, "bot", { ...parts, newId });
        if (kept.kind === "kept") taken(kept.intent, kept.open !== null);
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
      }
    };
    const taken = ({ id, stopLoss, mayLoosenFrom, waiver }: Intent, isOpen: boolean): void => {
      running.sidecar?.look("main", key);
      run.tell?.(`intent for ${symbol}/${positionIdx} ${side}: ${stopLoss?.toFixed() ?? "none"} (${id})`);
      checkers.wished({
        leg: `${category}/${symbol}/${positionIdx}`,
        side,
        price: stopLoss,
        isOpen,
        mayLoosenFrom,
        // It ends by the calendar: asked for while our clock was ahead, so much later.
        waivedUntilMs:
          waiver === null ? null : run.time.elapsedMs + (waivedForMs ?? 0) + Math.max(0, run.time.wallSkewMs),
        orderLinkId: wish.orderLinkId,
        atMs: run.time.elapsedMs,
      });
    };
    void keep();
  });
}
