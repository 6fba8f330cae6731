/** What goes wrong by itself, now and then: streams, clocks, keys, processes, disks and markets. */
import { dec } from "../../src/domain/decimal.js";
import { FAULTS, type FaultName } from "./faults.js";
import { type Hands, instrumentOf, openLegs } from "./hands.js";
import { DEATHS, diceFor, noteFault, type Run } from "./run-parts.js";
import type { Streams } from "./stream.js";

/** The process alone, or the whole machine, whose monotonic clock stands still as well. */
export type Standstill = "stopped" | "asleep";

export interface NemesisParts {
  readonly streams: Streams;
  readonly hands: Hands;
  readonly stop: (forMs: number, how: Standstill) => void;
}

/** Each deed undoes itself after a while, and in any case when calm begins. */
export interface Nemesis {
  start(): void;
  /** Mends everything that is still broken. */
  end(): void;
}

export function openNemesis(run: Run, parts: NemesisParts): Nemesis {
  const { time, story } = run;
  const dice = diceFor(story.seed, 5);
  const mends = new Set<() => void>();
  const deeds = deedsOf(run, parts, forAWhile);

  function forAWhile(ms: number, mend: () => void): void {
    const once = (): void => {
      if (mends.delete(once)) mend();
    };
    mends.add(once);
    time.after(ms, time.world, once);
  }

  function every(name: FaultName, seconds: number, deed: () => boolean): void {
    time.after(-Math.log(1 - dice.next()) * seconds * 1_000, time.world, () => {
      if (run.isCalm) return;
      if (deed()) noteFault(run, name);
      every(name, seconds, deed);
    });
  }

  return {
    start: () => {
      for (const [name, rate] of Object.entries(story.faults) as [FaultName, number][]) {
        const deed = deeds[name];
        if (FAULTS[name].unit === "every" && deed !== undefined) every(name, rate, deed);
      }
    },
    end: () => {
      for (const mend of mends) mend();
      run.death = null;
    },
  };
}

type Deeds = Partial<Record<FaultName, () => boolean>>;

function deedsOf(run: Run, parts: NemesisParts, forAWhile: (ms: number, mend: () => void) => void): Deeds {
  return { ...lines(run, parts, forAWhile), ...hosts(run, parts, forAWhile), ...markets(run, forAWhile) };
}

type ForAWhile = (ms: number, mend: () => void) => void;

function lines(run: Run, { streams, hands }: NemesisParts, forAWhile: ForAWhile): Deeds {
  const { dice, venue } = run;
  return {
    streamDrop: () => done(() => streams.drop()),
    streamHalfOpen: () => done(() => streams.fallSilent()),
    pushBurst: () => done(() => hands.burst()),
    ipBan: () => {
      run.isBanned = true;
      forAWhile(dice.between(60_000, 600_000), () => (run.isBanned = false));
      return true;
    },
    networkDown: () => {
      run.isNetworkDown = true;
      forAWhile(dice.between(1_000, 60_000), () => (run.isNetworkDown = false));
      return true;
    },
    keyRefused: () => {
      const ips = ["10.9.9.9"];
      venue.exchange.setAccount({ ips });
      forAWhile(dice.between(20_000, 120_000), () => venue.exchange.setAccount({ ips: [] }));
      return true;
    },
    keyInvalid: () => {
      run.keyTrouble = dice.pick([10003, 10004, 33004]);
      forAWhile(dice.between(20_000, 120_000), () => (run.keyTrouble = null));
      return true;
    },
    switchDown: () => {
      run.switchTrouble = dice.pick(["hangs", "refuses", "fails"]);
      forAWhile(dice.between(10_000, 600_000), () => (run.switchTrouble = null));
      return true;
    },
    keyReadOnly: () => {
      venue.exchange.setAccount({ readOnly: true });
      forAWhile(dice.between(20_000, 120_000), () => venue.exchange.setAccount({ readOnly: false }));
      return true;
    },
  };
}

const done = (deed: () => void): true => {
  deed();
  return true;
};

function hosts(run: Run, { stop }: NemesisParts, forAWhile: ForAWhile): Deeds {
  const { dice, time } = run;
  return {
    clockStep: () => {
      const before = time.wallSkewMs;
      time.wallSkewMs = before + dice.pick([-3_600_000, 3_600_000, -30_000, 30_000, 1_500, -1_500]);
      forAWhile(dice.between(10_000, 600_000), () => (time.wallSkewMs = before));
      return true;
    },
    kill: () => {
      run.death = dice.pick([...DEATHS]);
      return false;
    },
    suspend: () => done(() => stop(dice.between(10_000, 1_200_000), dice.pick(["stopped", "asleep"]))),
    stall: () => done(() => stop(dice.between(1_000, 30_000), "stopped")),
    journalFull: () => {
      run.isJournalFull = true;
      forAWhile(dice.between(1_000, 300_000), () => (run.isJournalFull = false));
      return true;
    },
  };
}

function markets(run: Run, forAWhile: ForAWhile): Deeds {
  const { dice, venue, story } = run;
  const aSymbol = () => story.symbols[dice.between(0, story.symbols.length - 1)] ?? "BTCUSDT";
  const aLeg = () => dice.shuffle(openLegs(run))[0];
  return {
    tickChange: () => {
      const symbol = aSymbol();
      const { tickSize, startPrice } = instrumentOf(run, symbol);
      // A contract keeps at least a thousand steps to its price.
      const isCoarse = tickSize.times(10_000).gt(startPrice);
      const factor = isCoarse ? "0.5" : dice.pick(["2", "5", "10", "0.5"]);
      return venue.act("exchange", (it) =>
        it.setInstrument({ symbol, tickSize: tickSize.times(dec(factor)).toFixed() }),
      );
    },
    auction: () => {
      const symbol = story.symbols.find((one) => one.endsWith("USDT"));
      if (symbol === undefined) return false;
      venue.act("exchange", (it) => it.setInstrument({ symbol, auctionPhase: "CallAuction" }));
      forAWhile(dice.between(30_000, 300_000), () =>
        venue.act("exchange", (it) => it.setInstrument({ symbol, auctionPhase: null })),
      );
      return true;
    },
    deleverage: () => {
      const leg = aLeg();
      if (leg === undefined) return false;
      const { symbol, positionIdx, size } = leg;
      return venue.act("exchange", (it) => it.deleverage({ symbol, positionIdx, size: size.div(3).toFixed() }));
    },
    liquidationUnknown: () => {
      const leg = aLeg();
      const known = leg === undefined ? undefined : venue.account.legs.get(leg.leg);
      if (known === undefined) return false;
      known.liquidation = null;
      return true;
    },
    thinBook: () => {
      const symbol = aSymbol();
      venue.act("market", (it) => it.setLiquidity({ symbol, fraction: "0.5" }));
      forAWhile(dice.between(30_000, 600_000), () =>
        venue.act("market", (it) => it.setLiquidity({ symbol, fraction: "1" })),
      );
      return true;
    },
    positionMode: () => {
      // The exchange switches only where nothing is open, and no order rests either (110024, 110028).
      const isIdle = () =>
        openLegs(run).length === 0 && venue.exchange.snapshot().accounts.every(({ orders }) => orders.length === 0);
      if (!isIdle() || story.hedge) return false;
      venue.exchange.setAccount({ positionMode: "hedge" });
      forAWhile(dice.between(60_000, 600_000), () => {
        if (isIdle()) venue.exchange.setAccount({ positionMode: "one-way" });
      });
      return true;
    },
  };
}
