/** What happens, as those hear it who listen at the desk: plain JSON, one thing each. */
import type { DeskEvent } from "../../http/desk.js";
import type { IntentEvent } from "../../intents/shelf.js";
import { viewOfIntent } from "../../intents/view.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import type { EventHub } from "./desk.js";
import { amendFacts, deedFacts, keyFacts, placeFacts } from "../books/step-facts.js";

export interface Hub extends EventHub {
  tell(event: SidecarEvent): void;
  tellIntent(event: IntentEvent): void;
  /** What the intents file is about, where it has not become an intent. */
  tellFile(data: DeskEvent["data"]): void;
}

export function openHub(): Hub {
  const listeners = new Set<(event: DeskEvent) => void>();
  const tell = (event: DeskEvent | null): void => {
    if (event !== null) for (const listener of listeners) listener(event);
  };
  return {
    tell: (event) => tell(deskEvent(event)),
    tellIntent: ({ change, intent }) => tell({ kind: "intent", data: { change, intent: viewOfIntent(intent) } }),
    tellFile: (data) => tell({ kind: "intent", data }),
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function deskEvent(event: SidecarEvent): DeskEvent | null {
  switch (event.kind) {
    case "life": {
      const { change, key, side, size, by } = event;
      return { kind: "life", data: { change, ...keyFacts(key), side, size: size.toFixed(), by } };
    }
    case "finding":
      return { kind: "finding", data: { ...placeFacts(event.place), ...event.finding } };
    case "sent": {
      const { step, path, answer } = event;
      return { kind: "step", data: { ...keyFacts(step.key), side: step.side, ...deedFacts(step), path, answer } };
    }
    case "outcome": {
      const { step, outcome, detail } = event.record;
      return { kind: "outcome", data: { ...keyFacts(step.key), side: step.side, ...deedFacts(step), outcome, detail } };
    }
    case "pass-started": {
      const { account, whole } = event;
      return { kind: "pass", data: { account, whole, state: "started" } };
    }
    case "pass": {
      const { account, whole, result, tookMs, reason } = event;
      return { kind: "pass", data: { account, whole, state: result, tookMs: Math.round(tookMs), reason } };
    }
    case "stream": {
      const { account, state, reason } = event;
      return { kind: "stream", data: { account, state, reason } };
    }
    case "attach": {
      const { step, outcome, detail } = event.event;
      const facts = { ...keyFacts(step.key), side: step.side, ...amendFacts(step) };
      return outcome === "sent"
        ? { kind: "step", data: { ...facts, path: "order" } }
        : { kind: "outcome", data: { ...facts, outcome, detail } };
    }
    case "mended":
    case "naked":
    case "protected":
    case "watching":
    case "would-send":
      return null;
  }
}
