/** A clock that stands still until everybody waits for it, and then jumps to the next moment somebody waits for. */

export interface FakeClock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

interface Sleeper {
  readonly wakesAtMs: number;
  readonly wake: () => void;
}

export function fakeClock(startMs = 1_700_000_000_000): FakeClock {
  let nowMs = startMs;
  let isTurning = false;
  const sleepers: Sleeper[] = [];
  // Runs after every promise that can go on has done so.
  const turn = () => {
    const [first] = sleepers.sort((one, other) => one.wakesAtMs - other.wakesAtMs);
    if (first === undefined) {
      isTurning = false;
      return;
    }
    sleepers.shift();
    nowMs = Math.max(nowMs, first.wakesAtMs);
    first.wake();
    setImmediate(turn);
  };
  return {
    now: () => nowMs,
    sleep: (ms) =>
      new Promise((wake) => {
        sleepers.push({ wakesAtMs: nowMs + ms, wake });
        if (isTurning) return;
        isTurning = true;
        setImmediate(turn);
      }),
  };
}
