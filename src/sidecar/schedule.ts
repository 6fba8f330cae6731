/** When everything is swept: by a cron line, and by a clock that never jumps where cron falls silent. */
import { createTask, type ScheduledTask } from "node-cron";
import type { Clock } from "../runtime/index.js";

export interface ScheduleParts {
  /** Seconds first. */
  readonly cron: string;
  /** Both: the wall clock may be set, the other one never jumps. */
  readonly clock: Pick<Clock, "now" | "monotonicMs">;
  readonly onSweep: (reason: "schedule" | "watchdog") => void;
  /** Once a second. */
  readonly onTick: () => void;
  readonly log: { warn(facts: object, message: string): void; debug(facts: object, message: string): void };
}

export interface Schedule {
  /** The longest time between two runs, milliseconds. */
  readonly intervalMs: number;
  close(): void;
}

const TICK_MS = 1_000;
/** So many intervals late, and the task is taken for dead. */
const LATE = 1.5;
/** A wall clock that falls so far behind within a tick was set back, and is no clock that is only slow. */
const SET_BACK_MS = 1_000;
/** After so long a step ahead node-cron would count every run that it has missed, for seconds a day. */
const SET_AHEAD_MS = 3_600_000;
const RUNS_LOOKED_AT = 60;

export function startSchedule(parts: ScheduleParts): Schedule {
  const { cron, clock, onSweep, onTick, log } = parts;
  let sweptMs = clock.monotonicMs();
  let wallAheadMs = clock.now() - clock.monotonicMs();
  let task = startTask();
  const intervalMs = longestGapMs(task);

  function startTask(): ScheduledTask {
    const created = createTask(cron, () => sweep("schedule"), {
      logger: loggerFor(log),
      suppressMissedWarning: true,
      // A sweep that comes late, after a standstill or a step ahead, is better than none.
      missedExecutionTolerance: Number.MAX_SAFE_INTEGER,
    });
    void created.start();
    return created;
  }

  function startAnew(): void {
    void task.destroy();
    task = startTask();
  }

  function sweep(reason: "schedule" | "watchdog"): void {
    sweptMs = clock.monotonicMs();
    onSweep(reason);
  }

  /** Null: it was not, or so little that the schedule does not mind. */
  function wasSet(): "back" | "ahead" | null {
    const beforeMs = wallAheadMs;
    wallAheadMs = clock.now() - clock.monotonicMs();
    if (wallAheadMs < beforeMs - SET_BACK_MS) return "back";
    return wallAheadMs > beforeMs + SET_AHEAD_MS ? "ahead" : null;
  }

  // node-cron follows the wall clock: when that steps back, its timer sleeps for the whole step.
  const watchdog = setInterval(() => {
    onTick();
    const set = wasSet();
    if (set !== null) {
      log.warn({}, `the wall clock was set ${set}; the schedule of sweeps starts anew`);
      startAnew();
    }
    // Its machine may have slept meanwhile.
    if (set === "ahead") return sweep("watchdog");
    if (clock.monotonicMs() - sweptMs <= intervalMs * LATE) return;
    log.warn({ intervalMs }, "the sweep is overdue; its schedule starts anew");
    startAnew();
    sweep("watchdog");
  }, TICK_MS);

  return {
    intervalMs,
    close: () => {
      clearInterval(watchdog);
      void task.destroy();
    },
  };
}

function longestGapMs(task: ScheduledTask): number {
  const runs = task.getNextRuns(RUNS_LOOKED_AT).map((date) => date.getTime());
  return Math.max(...runs.slice(1).map((ms, index) => ms - (runs[index] ?? ms)), TICK_MS);
}

function loggerFor(log: ScheduleParts["log"]) {
  const tell = (message: string | Error) =>
    log.debug({ words: message instanceof Error ? message.message : message }, "node-cron");
  return { info: tell, warn: tell, error: tell, debug: tell };
}
