/** Who is told of what is naked: soon, and again for as long as it lasts, also of what is paused. */
import type { SidecarEvent } from "../../../src/sidecar/event.js";
import type { Instance } from "../run-parts.js";
import type { LegState } from "../venue.js";
import type { Notes } from "./ledger.js";

/** What has begun before a look may be told after it; two whole passes have looked since, and one was under way. */
const PASSES = 3;
/** What is critical is told again every minute, as passes come. */
const AGAIN_MS = 60_000;
const SLACK_MS = 30_000;
/** A look may show the account as it was so long before; passes that end sooner may have missed it. */
const SHOWS_WITHIN_MS = 10_000;

interface Watched {
  readonly life: number;
  readonly sinceMs: number;
  /** Null: nobody was told since it is naked. */
  toldMs: number | null;
  /** Complete passes over everything since it is naked, or since it was told last. */
  passes: number;
}

export interface Alerts {
  told(instance: Instance, event: SidecarEvent): void;
}

export function watchAlerts(notes: Notes): Alerts {
  const { run } = notes;
  const watched = new Map<string, Watched>();

  function look(): void {
    const nowMs = run.time.elapsedMs;
    for (const state of run.venue.states()) {
      const known = watched.get(state.leg);
      if (!mustBeTold(notes, state)) watched.delete(state.leg);
      else if (known?.life !== state.life)
        watched.set(state.leg, { life: state.life, sinceMs: nowMs, toldMs: null, passes: 0 });
    }
  }

  function alarmed(leg: (name: string) => boolean): void {
    for (const [name, one] of watched) if (leg(name)) Object.assign(one, { toldMs: run.time.elapsedMs, passes: 0 });
  }

  function passed({ stoppedUntilMs = Number.NEGATIVE_INFINITY }: Instance): void {
    const nowMs = run.time.elapsedMs;
    const againMs = 2 * Math.max(AGAIN_MS, run.story.sweepSeconds * 1_000) + SLACK_MS;
    // By the clock of who stood still, less time has passed since it told of anything.
    if (nowMs - stoppedUntilMs < againMs) return;
    for (const [leg, one] of watched) {
      if (nowMs - one.sinceMs < SHOWS_WITHIN_MS) continue;
      one.passes += 1;
      const silentMs = nowMs - (one.toldMs ?? one.sinceMs);
      if (one.passes < PASSES || (one.toldMs !== null && silentMs < againMs)) continue;
      const check = leg.split("/")[1] === run.story.paused ? "S22" : "L4";
      notes.broken(check, `${leg}: naked, and ${one.toldMs === null ? "nobody was told" : "nobody is told any more"}`);
      Object.assign(one, { toldMs: nowMs, passes: 0 });
    }
  }

  return {
    told: (instance, event) => {
      look();
      if (event.kind === "naked") alarmed((leg) => leg === legText(event.key));
      if (event.kind === "finding") alarmed((leg) => leg.startsWith(`${event.place.category}/${event.place.symbol}/`));
      if (event.kind === "pass" && event.whole && event.result === "complete") passed(instance);
    },
  };
}

function mustBeTold({ run, wishes }: Notes, { side, isWhole, symbol, leg }: LegState): boolean {
  const mayBeWaived = wishes.some((wish) => wish.leg === leg && wish.waivedUntilMs !== null);
  return side !== null && !isWhole && symbol !== run.story.ignored && !mayBeWaived;
}

const legText = ({ category, symbol, positionIdx }: { category: string; symbol: string; positionIdx: number }) =>
  `${category}/${symbol}/${positionIdx}`;
