/** What goes wrong in each round of a run: drawn from the seed, each kind as often as its share says. */
import type { Random } from "../../src/exchange/simulator/random.js";
import type { Weather } from "./line.js";

export type BadWeather = Exclude<Weather, "clear">;

/** Milliseconds after the process was started. */
interface Spell {
  readonly fromMs: number;
  readonly forMs: number;
}

export type Mode = "create-only" | "tighten-only" | "sync";

/** When the process is killed: at a time, or as a write of it leaves, has its effect, or was answered. */
export type Moment =
  | { readonly at: "time"; readonly ms: number }
  | { readonly at: "leaving" | "effect" | "answer"; readonly nth: number; readonly elseMs: number };

export interface Round {
  readonly number: number;
  /** Of the processes that start in it. */
  readonly mode: Mode;
  readonly end: "kill" | "terminate" | "stay";
  readonly moment: Moment;
  /** A second process stands by, and the end of the first one is to be its beginning. */
  readonly standby: boolean;
  readonly pause: Spell | null;
  readonly cut: (Spell & { readonly weather: BadWeather }) | null;
  readonly fullDisk: Spell | null;
  /** Milliseconds that the wall clock is off from then on, from the machine's own. */
  readonly clock: { readonly atMs: number; readonly offsetMs: number } | null;
  /** So long nobody is there before the next one starts. */
  readonly goneMs: number;
  /** New positions while nobody is there. */
  readonly openMeanwhile: number;
}

/** Of all rounds; what is no kill is a stop or goes on. */
const SHARES = { kill: 0.86, terminate: 0.05, standby: 0.1, pause: 0.32, cut: 0.3, fullDisk: 0.07, clock: 0.1 };
const WEATHERS: readonly [BadWeather, ...BadWeather[]] = ["down", "half-open", "slow", "cut-answers"];
const MODES: readonly [Mode, ...Mode[]] = ["tighten-only", "sync", "create-only"];
const HOUR_MS = 3_600_000;

export function planRounds(dice: Random, rounds: number): readonly Round[] {
  /** As often as the share says, once at least, in any order. */
  const deck = (share: number): boolean[] => {
    const times = Math.max(1, Math.round(share * rounds));
    return dice.shuffle(Array.from({ length: rounds }, (_, index) => index < times));
  };
  const ends = deck(SHARES.kill);
  const decks = {
    terminate: deck(SHARES.terminate / (1 - SHARES.kill)),
    standby: deck(SHARES.standby),
    pause: deck(SHARES.pause),
    cut: deck(SHARES.cut),
    fullDisk: deck(SHARES.fullDisk),
    clock: deck(SHARES.clock),
  };
  return ends.map((isKilled, number): Round => {
    const is = (name: keyof typeof decks): boolean => decks[name][number] ?? false;
    const standby = is("standby");
    const pause = is("pause") ? { fromMs: dice.between(100, 3_000), forMs: pauseMs(dice) } : null;
    const cut = is("cut") ? { ...spell(dice, 300, 4_000), weather: dice.pick(WEATHERS) } : null;
    const fullDisk = is("fullDisk") && !standby ? spell(dice, 2_500, 5_000) : null;
    return {
      number,
      mode: dice.pick(MODES),
      // A standby takes over where the first one dies.
      end: isKilled || standby ? "kill" : is("terminate") ? "terminate" : "stay",
      moment: momentFrom(dice, pause ?? fullDisk ?? cut),
      standby,
      pause,
      cut,
      fullDisk,
      clock: is("clock") ? { atMs: dice.between(0, 1_500), offsetMs: dice.between(-HOUR_MS, HOUR_MS) } : null,
      goneMs: dice.between(0, 400),
      openMeanwhile: dice.between(0, 2),
    };
  });
}

/** Some begin before the process does, and find it starting. */
function spell(dice: Random, low: number, high: number): Spell {
  return { fromMs: dice.next() < 0.3 ? 0 : dice.between(0, 2_500), forMs: dice.between(low, high) };
}

/** Mostly short; now and then longer than the program takes for a machine that slept. */
function pauseMs(dice: Random): number {
  return dice.next() < 0.1 ? dice.between(10_000, 14_000) : dice.between(50, 3_000);
}

/** Half of the time what goes wrong goes on to its end, and a little longer. */
function momentFrom(dice: Random, bad: Spell | null): Moment {
  if (bad !== null && dice.next() < 0.5)
    return { at: "time", ms: bad.fromMs + Math.max(0, bad.forMs + dice.between(-1_000, 2_000)) };
  if (dice.next() < 0.4) return { at: "time", ms: dice.between(30, 3_500) };
  return { at: dice.pick(["leaving", "effect", "answer"]), nth: dice.between(1, 3), elseMs: 4_000 };
}
