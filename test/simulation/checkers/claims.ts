/** What a process says: protected, confirmed, closed; each must have been true at the exchange when it was looked at. */
import { keyText, type Side } from "../../../src/domain/position.js";
import type { FindingPlace, SidecarEvent } from "../../../src/sidecar/event.js";
import type { Instance } from "../run-parts.js";
import type { LegState } from "../venue.js";
import { count, type Notes } from "./ledger.js";

/** A look may take so long, and show what was true a little before it. */
const LOOK_MS = 20_000;
const FLAT_MS = 60_000;
/** What is told of an opening may still be of the life before it, where that ended just then. */
const APART_MS = 5_000;

export interface Claims {
  told(instance: Instance, event: SidecarEvent): void;
  /** Since when each leg has been called naked, by its name. */
  readonly alerts: Map<string, number>;
}

export const legOfKey = ({ category, symbol, positionIdx }: Omit<FindingPlace, "account">): string =>
  `${category}/${symbol}/${positionIdx}`;

/** A process that stood still tells of what came meanwhile when it goes on. */
function lateness({ stoppedFromMs = 0, stoppedUntilMs = 0 }: Instance, nowMs: number): number {
  return nowMs - stoppedUntilMs < FLAT_MS ? Math.max(0, stoppedUntilMs - stoppedFromMs) : 0;
}

export function createClaims(notes: Notes): Claims {
  const { run, broken, everSince } = notes;
  /** Until when the life that a process told of may have begun at the latest, by process and position. */
  const openedMs = new Map<string, number>();
  const alerts = new Map<string, number>();

  /** The life that goes on is the one that was told of: it had begun by then, and no other ended shortly before. */
  function isMeant(leg: string, side: Side, toldMs: number, lateMs: number): boolean {
    const state = run.venue.state(leg);
    if (state === undefined || state.side !== side) return false;
    const isOther = (one: LegState) => one.side === null || one.life !== state.life;
    return !everSince(leg, Math.min(toldMs, run.time.elapsedMs - FLAT_MS) - lateMs - APART_MS, isOther);
  }

  function life(instance: Instance, { change, key, side }: Extract<SidecarEvent, { kind: "life" }>): void {
    const leg = legOfKey(key);
    const id = `${instance.name} ${keyText(key)}`;
    const nowMs = run.time.elapsedMs;
    const lateMs = lateness(instance, nowMs);
    if (change === "closed") {
      if (isMeant(leg, side, openedMs.get(id) ?? nowMs, lateMs))
        broken("S4", `${leg}: called closed, and it is open all the time`);
    } else if (change === "opened" || change === "seen" || change === "flipped") {
      openedMs.set(id, nowMs);
      if (!everSince(leg, nowMs - FLAT_MS - lateMs, (state) => state.side !== null))
        broken("S4", `${leg}: called ${change} by ${instance.name}, and it was flat`);
    }
  }

  function told(instance: Instance, event: SidecarEvent): void {
    const nowMs = run.time.elapsedMs;
    const sinceMs = nowMs - LOOK_MS - lateness(instance, nowMs);
    switch (event.kind) {
      case "life":
        return life(instance, event);
      case "protected": {
        const leg = legOfKey(event.key);
        count(notes, "protected");
        alerts.delete(leg);
        if (!everSince(leg, sinceMs, ({ isWhole, side }) => isWhole && side === event.side))
          broken("S11", `${leg}: called protected, and no whole stop has stood`);
        return;
      }
      case "outcome": {
        const { step, outcome } = event.record;
        if (outcome !== "confirmed" || step.action !== "set-trading-stop" || step.stopLoss === null) return;
        const { price } = step.stopLoss;
        count(notes, "confirmed");
        if (!everSince(legOfKey(step.key), sinceMs - 60_000, ({ stop }) => stop?.price.eq(price) === true))
          broken("S11", `${legOfKey(step.key)}: ${price.toFixed()} called confirmed, and it never stood`);
        return;
      }
      case "naked":
        alerts.set(legOfKey(event.key), run.time.elapsedMs);
        return;
      case "finding":
        if (event.finding.severity === "critical") alerts.set(legOfKey(event.place), run.time.elapsedMs);
        return;
      case "mended":
        return count(notes, "mended");
      case "attach":
      case "pass":
      case "pass-started":
      case "sent":
      case "stream":
      case "watching":
      case "would-send":
        return;
    }
  }

  return { told, alerts };
}

/** In calm nothing critical may hold without having been told. */
export function noteAlerts({ run, broken }: Notes, { alerts }: Claims): void {
  for (const state of run.venue.states()) {
    const isSilent =
      state.side !== null && !state.isWhole && state.symbol !== run.story.ignored && !alerts.has(state.leg);
    const isWaived = run.story.intents;
    if (isSilent && !isWaived) broken("L4", `${state.leg}: naked, and nobody was told`);
  }
}
