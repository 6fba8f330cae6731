/** What of the sidecar's events is worth finding again, as entries of the ledger. */
import type { PositionKey, Side } from "../../domain/position.js";
import type { Json, NewEntry } from "../../ledger/port.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import type { Books } from "../books/books.js";
import { keyFacts, placeFacts } from "../books/step-facts.js";

export function noteEvents(books: Books): (event: SidecarEvent) => void {
  return (event) => {
    if (event.kind === "outcome") return books.journal.judged(event.record);
    if (event.kind === "attach") return books.attaching.judged(event.event);
    const entry = entryOf(event, books);
    if (entry !== null) books.note(entry);
    if (event.kind === "life" && event.change === "closed") books.closed(event, `closed by ${event.by ?? "somebody"}`);
  };
}

function entryOf(event: SidecarEvent, books: Books): NewEntry | null {
  switch (event.kind) {
    case "life": {
      const { change, key, side, size, by } = event;
      return placed(`life-${change}`, key, side, { size: size.toFixed(), ...(by === null ? {} : { by }) }, books);
    }
    case "finding": {
      const { code, severity, message } = event.finding;
      return { kind: "finding", ...placeFacts(event.place), body: { code, severity, message } };
    }
    case "mended": {
      const { key, price, replacedBy } = event;
      return { kind: "mended", ...keyFacts(key), body: { stopLoss: price.toFixed(), ours: replacedBy.toFixed() } };
    }
    case "attach":
    case "outcome":
    case "sent":
    case "would-send":
    case "naked":
    case "protected":
    case "pass":
    case "pass-started":
    case "stream":
    case "watching":
      return null;
  }
}

function placed(kind: NewEntry["kind"], key: PositionKey, side: Side, body: Json, { ledger }: Books): NewEntry {
  const lives = ledger?.memory.openLives(key.account) ?? [];
  const facts = keyFacts(key);
  const life = lives.find(
    (one) =>
      one.side === side &&
      one.key.category === key.category &&
      one.key.symbol === key.symbol &&
      one.key.positionIdx === key.positionIdx,
  );
  return { kind, ...facts, side, ...(life === undefined ? {} : { lifeId: life.id }), body };
}
