/** When everything is swept: by a cron line, and by a clock that never jumps where cron falls silent. */
import { createTask, type ScheduledTask } from "node-cron";

export interface ScheduleParts {
  /** Seconds first. */
  readonly cron: string;
  readonly monotonicMs: () => number;
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
const RUNS_LOOKED_AT = 60;

export function startSchedule(parts: ScheduleParts): Schedule {
  const { cron, monotonicMs, onSweep, onTick, log } = parts;
  let sweptMs = monotonicMs();
  let task = startTask();
  const intervalMs = longestGapMs(task);

  function startTask(): ScheduledTask {
    const created = createTask(cron, () => sweep("schedule"), { logger: loggerFor(log), suppressMissedWarning: true });
    void created.start();
    return created;
  }

  function sweep(reason: "schedule" | "watchdog"): void {
    sweptMs = monotonicMs();
    onSweep(reason);
  }

  // node-cron follows the wall clock: when that steps back, its timer sleeps for the whole step.
  const watchdog = setInterval(() => {
    onTick();
    if (monotonicMs() - sweptMs <= intervalMs * LATE) return;
    log.warn({ intervalMs }, "the sweep is overdue: the wall clock may have been set back; its schedule starts anew");
    void task.destroy();
    task = startTask();
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
