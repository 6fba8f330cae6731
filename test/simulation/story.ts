/** What a seed picks: everything that a run depends on, as one JSON value that replays it exactly. */
import { type Random, seededRandom } from "../../src/exchange/simulator/random.js";
import { FAULTS, type FaultName } from "./faults.js";

export interface Story {
  readonly seed: number;
  /** Of the phase with faults; the calm after it comes on top. */
  readonly hours: number;
  readonly symbols: readonly string[];
  readonly hedge: boolean;
  readonly marginMode: "ISOLATED_MARGIN" | "REGULAR_MARGIN";
  readonly statesOpenTime: boolean;
  readonly sweepSeconds: number;
  readonly protection: {
    readonly mode: "report-only" | "create-only" | "tighten-only" | "sync";
    readonly stopPercent: number;
    readonly takeProfit: string | null;
    readonly pastStop: "rebase" | "nearest" | "close" | "alert";
    readonly pastTakeProfit: "skip" | "nearest" | "close";
    readonly onScaleIn: "keep" | "tighten";
    readonly onDrift: "restore" | "alert";
    readonly attachToOrders: boolean;
    readonly graceMs: number;
    readonly vanishMs: number;
  };
  readonly intents: boolean;
  /** Left alone by a rule; null: none. */
  readonly ignored: string | null;
  /** Its rows cannot be read in the first part of the calm, while everything else is well; null: none. */
  readonly spoilt: string | null;
  /** Paused by a person from the middle of the run on, until calm; null: none. */
  readonly paused: string | null;
  readonly instances: 1 | 2;
  /** Mean time between two deeds of the bot, and of the person, at any symbol, seconds. */
  readonly botEverySeconds: number;
  readonly personEverySeconds: number;
  /** Bot and person are busy for a while and then rest, minutes; 0: they never rest. */
  readonly busyMinutes: number;
  readonly restMinutes: number;
  readonly market: {
    readonly everySeconds: number;
    /** Typical size of one move. */
    readonly stepPercent: number;
    readonly gapChance: number;
    readonly gapPercent: number;
  };
  readonly latencyMs: number;
  readonly lags: { readonly fillToPositionMs: number; readonly stopToVisibleMs: number };
  /** By kind: the chance at each occasion, or the mean seconds between two (see `FAULTS`). */
  readonly faults: Partial<Record<FaultName, number>>;
}

const SYMBOLS = [
  "BTCUSDT",
  "ETHUSDT",
  "SOLUSDT",
  "XRPUSDT",
  "DOGEUSDT",
  "ADAUSDT",
  "LINKUSDT",
  "BTCPERP",
  "ETHPERP",
  "BTCUSD",
  "ETHUSD",
  "XRPUSD",
] as const;

export function storyOf(seed: number, hours: number): Story {
  const dice = seededRandom(seed * 2_654_435_761 + 17);
  const hedge = dice.next() < 0.3;
  const hedgeable = SYMBOLS.filter((symbol) => symbol.endsWith("USDT"));
  const pool = hedge ? hedgeable : [...SYMBOLS];
  const symbols = dice.shuffle(pool).slice(0, dice.between(1, 5));
  const one = <T>(...items: [T, ...T[]]): T => dice.pick(items);
  return {
    seed,
    hours,
    symbols,
    hedge,
    marginMode: one("ISOLATED_MARGIN", "REGULAR_MARGIN"),
    statesOpenTime: dice.next() < 0.75,
    sweepSeconds: dice.next() < 0.04 ? 60 : one(120, 300, 300, 600, 600, 600, 900, 900, 900),
    protection: {
      mode: one("create-only", "create-only", "tighten-only", "tighten-only", "sync", "sync", "sync", "report-only"),
      stopPercent: one(0.5, 1, 2, 3, 5),
      takeProfit: one(null, null, "3%", "2R"),
      pastStop: one("rebase", "rebase", "nearest", "close", "alert"),
      pastTakeProfit: one("skip", "skip", "nearest", "close"),
      onScaleIn: one("keep", "tighten"),
      onDrift: one("restore", "restore", "alert"),
      attachToOrders: dice.next() < 0.3,
      graceMs: one(0, 0, 0, 2_000, 10_000),
      vanishMs: one(0, 1_000, 5_000, 5_000, 15_000),
    },
    intents: dice.next() < 0.6,
    ignored: symbols.length > 1 && dice.next() < 0.15 ? (symbols[0] ?? null) : null,
    paused: symbols.length > 2 && dice.next() < 0.15 ? (symbols[1] ?? null) : null,
    instances: dice.next() < 0.12 ? 2 : 1,
    botEverySeconds: one(60, 180, 300, 300, 600, 1_200),
    personEverySeconds: one(300, 900, 1_800, 3_600),
    busyMinutes: one(10, 15, 20, 30),
    restMinutes: one(0, 90, 120, 120, 180, 180, 240, 240),
    market: {
      everySeconds: one(20, 45, 90, 120),
      stepPercent: one(0.02, 0.05, 0.1, 0.2),
      gapChance: one(0, 0.002, 0.01),
      gapPercent: one(1, 3, 6),
    },
    latencyMs: one(5, 20, 60, 150),
    lags: { fillToPositionMs: one(0, 0, 200, 1_500), stopToVisibleMs: one(0, 0, 150, 900) },
    faults: someFaults(dice),
    spoilt: symbols.length > 1 && dice.next() < 0.2 ? (symbols.at(-1) ?? null) : null,
  };
}

/** Each seed turns on a random part of all kinds; the rest never happens in it. */
function someFaults(dice: Random): Story["faults"] {
  const share = dice.pick([0, 0.1, 0.3, 0.6]);
  const names = Object.keys(FAULTS) as FaultName[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const isOn = dice.next() < share;
      const rate = FAULTS[name].rates[dice.between(0, FAULTS[name].rates.length - 1)] ?? 0;
      return isOn ? [[name, rate] as const] : [];
    }),
  );
}
