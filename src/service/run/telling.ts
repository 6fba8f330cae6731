/** What the sidecar's events read like in the log. */
import { print } from "../../domain/decimal.js";
import { keyText } from "../../domain/position.js";
import type { Step } from "../../plan/step.js";
import type { Log } from "../../runtime/index.js";
import type { LifeChange, SidecarEvent } from "../../sidecar/event.js";
import { deedFacts, keyFacts, placeFacts } from "../books/step-facts.js";

type Level = "trace" | "debug" | "info" | "warn" | "error";

interface Line {
  readonly level: Level;
  readonly facts: object;
  readonly message: string;
}

export function logEvents(log: Log): (event: SidecarEvent) => void {
  // A dry run plans the same in every pass; it is worth one line.
  const wouldSend = new Map<string, string>();
  return (event) => {
    if (event.kind === "would-send") {
      const name = keyText(event.step.key);
      const text = planText(event.step);
      if (wouldSend.get(name) === text) return;
      wouldSend.set(name, text);
    }
    const { level, facts, message } = lineOf(event);
    log[level](facts, message);
  };
}

/** The nearest level follows the price: only that it is planned is worth a line. */
function planText(step: Step): string {
  const purpose = step.action === "set-trading-stop" ? step.stopLoss?.purpose : undefined;
  return purpose === "nearest" || purpose === "rebase" ? purpose : JSON.stringify(stepFacts(step));
}

const LIFE_WORDS: Readonly<Record<LifeChange, string>> = {
  seen: "a position is open",
  opened: "a position has opened",
  grew: "a position has grown",
  shrank: "a position has shrunk",
  flipped: "a position has flipped",
  closed: "a position has closed",
};

function lineOf(event: SidecarEvent): Line {
  switch (event.kind) {
    case "life": {
      const { change, key, side, size, by } = event;
      const closer = by === null ? {} : { by };
      return line("info", { ...keyFacts(key), side, size: print(size), ...closer }, LIFE_WORDS[change]);
    }
    case "protected": {
      const { key, side, price, afterMs } = event;
      const facts = { ...keyFacts(key), side, stopLoss: print(price), ...(afterMs === null ? {} : { afterMs }) };
      return line("info", facts, "a stop for the whole position rests at the exchange");
    }
    case "naked":
      return line("warn", { ...keyFacts(event.key), side: event.side }, "no stop covers the whole position");
    case "finding":
      return findingLine(event);
    case "sent":
      return line("info", { ...stepFacts(event.step), from: event.path, answer: event.answer }, "sent");
    case "outcome":
      return outcomeLine(event);
    case "attach":
      return attachLine(event);
    case "would-send":
      return line("info", stepFacts(event.step), "dry run: this would be sent");
    case "mended": {
      const facts = { ...keyFacts(event.key), stopLoss: print(event.price), ours: print(event.replacedBy) };
      return line("warn", facts, "a write of ours had replaced another hand's tighter stop; it is put back");
    }
    case "watching":
      return line(
        "info",
        { account: event.account },
        "everything was looked at; from now on a missing stop is noticed as it is pushed",
      );
    case "pass-started":
      return line("trace", { account: event.account, whole: event.whole }, "pass started");
    case "pass":
      return passLine(event);
    case "stream": {
      const { account, reason } = event;
      return event.state === "live"
        ? line("info", { account }, "the stream is live; everything is looked at")
        : line("warn", { account, reason }, "the stream is down; everything is looked at every 5 s");
    }
  }
}

function line(level: Level, facts: object, message: string): Line {
  return { level, facts, message };
}

function findingLine({ place, finding }: Extract<SidecarEvent, { kind: "finding" }>): Line {
  const level = finding.severity === "critical" ? "error" : "warn";
  return line(level, { ...placeFacts(place), code: finding.code }, finding.message);
}

function outcomeLine({ record }: Extract<SidecarEvent, { kind: "outcome" }>): Line {
  const { step, outcome, detail } = record;
  const level = outcome === "confirmed" || outcome === "skipped" ? "info" : "warn";
  return line(level, { ...stepFacts(step), ...(detail === null ? {} : { detail }) }, outcome);
}

function attachLine({ event }: Extract<SidecarEvent, { kind: "attach" }>): Line {
  const { step, outcome, detail, orderId } = event;
  const level = outcome === "refused" || outcome === "uncertain" ? "warn" : "info";
  const facts = {
    action: step.action,
    ...keyFacts(step.key),
    side: step.side,
    orderId,
    stopLoss: print(step.stopLoss.price),
    ...(step.takeProfit === null ? {} : { takeProfit: print(step.takeProfit.price) }),
    ...(detail === null ? {} : { detail }),
  };
  return line(level, facts, `entry order: ${outcome}`);
}

function passLine({ account, whole, result, tookMs, reason }: Extract<SidecarEvent, { kind: "pass" }>): Line {
  const facts = { account, whole, tookMs: Math.round(tookMs), ...(reason === null ? {} : { reason }) };
  const level = result === "complete" ? "debug" : result === "partial" ? "warn" : "error";
  return line(level, facts, `pass ${result}`);
}

function stepFacts(step: Step): object {
  return { ...keyFacts(step.key), side: step.side, ...deedFacts(step) };
}
