/** What the dead man's switch hears: of every sweep that saw everything, where it listens, and of no other that all is well. */
import type { SidecarEvent } from "../../../src/sidecar/event.js";
import type { Instance, Ping } from "../run-parts.js";
import { count, type Notes } from "./ledger.js";

/** A ping is given up after ten seconds, and the next one waits for it. */
const HEARD_WITHIN_MS = 25_000;
const TRUE_FOR_MS = 60_000;

export interface Pings {
  told(instance: Instance, event: SidecarEvent): void;
  heard(instance: Instance, ping: Ping): void;
}

interface Known {
  /** When the last sweep that saw everything ended. */
  completeMs: number;
  /** The first one since it was heard of; null: none. */
  unheardMs: number | null;
}

export function watchPings(notes: Notes): Pings {
  const { run } = notes;
  const known = new Map<string, Known>();
  const of = ({ name }: Instance): Known => {
    const one = known.get(name) ?? { completeMs: Number.NEGATIVE_INFINITY, unheardMs: null };
    known.set(name, one);
    return one;
  };

  /** It has run for long enough since it stood still. */
  const isAwake = ({ stoppedUntilMs = Number.NEGATIVE_INFINITY }: Instance): boolean =>
    run.time.elapsedMs - stoppedUntilMs > 2 * HEARD_WITHIN_MS;

  return {
    told: (instance, event) => {
      const one = of(instance);
      const nowMs = run.time.elapsedMs;
      const isLate = one.unheardMs !== null && nowMs - one.unheardMs > HEARD_WITHIN_MS;
      if (isAwake(instance) && isLate) {
        notes.broken(
          "F45",
          `${instance.name}: all was seen ${(nowMs - (one.unheardMs ?? 0)) / 1_000} s ago, and the switch has not heard`,
        );
        one.unheardMs = null;
      }
      if (event.kind !== "pass" || !event.whole || event.result !== "complete") return;
      one.completeMs = nowMs;
      one.unheardMs ??= nowMs;
    },
    heard: (instance, { kind }) => {
      if (kind === "lost") of(instance).unheardMs = null;
      if (kind !== "success") return;
      count(notes, "pings");
      const one = of(instance);
      one.unheardMs = null;
      if (run.time.elapsedMs - one.completeMs > TRUE_FOR_MS && isAwake(instance))
        notes.broken(
          "F45",
          `${instance.name}: the switch hears that all is well, and no sweep has seen everything for a minute`,
        );
    },
  };
}
