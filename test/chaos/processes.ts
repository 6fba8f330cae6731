/** Runs the built sidecar as processes of their own, as a supervisor would; hears every line, and counts how each has ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** A place for one process at a time: its config, its line to the exchange, its wall clock. */
export interface Slot {
  readonly name: string;
  readonly config: string;
  readonly clockFile: string;
}

export interface Instance {
  /** The slot and a number: `a3`. */
  readonly name: string;
  readonly slot: string;
  readonly pid: number;
  readonly startedAtMs: number;
  /** From when on it does nothing any more; null: it lives. */
  diedAtMs: number | null;
  /** When it stood still last; what came meanwhile is told late. */
  pause: { readonly fromMs: number; untilMs: number | null } | null;
}

export interface ProcessListeners {
  readonly said: (instance: Instance, line: LogLine) => void;
  /** Everything written to stdout and stderr. */
  readonly wrote: (instance: Instance, text: string) => void;
  /** `isWanted`: by our doing. */
  readonly ended: (instance: Instance, how: string, isWanted: boolean) => void;
}

export interface Running {
  readonly instance: Instance;
  /** The first line that fits, from the start on, or null as the process ends or the time is over. */
  says(fits: (line: LogLine) => boolean, withinMs: number): Promise<LogLine | null>;
  /** The same, from now on. */
  saysNext(fits: (line: LogLine) => boolean, withinMs: number): Promise<LogLine | null>;
  signal(signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void;
  readonly ended: Promise<string>;
}

export interface ProcessParts extends ProcessListeners {
  readonly root: string;
  readonly folder: string;
  readonly now: () => number;
  /** Loaded before the program, after the clock: how a bug is planted. */
  readonly preload?: string;
}

const program = (root: string): string => join(root, "dist", "cli", "bin.js");
const clockModule = (root: string): string => join(root, "test", "chaos", "clock.mjs");

export interface Processes {
  start(slot: Slot): Running;
  /** Waits for all. */
  killAll(): Promise<void>;
  readonly alive: readonly Instance[];
}

export function openProcesses(parts: ProcessParts): Processes {
  const { root, folder, now } = parts;
  const running = new Set<Running>();
  let number = 0;
  process.once("exit", killAtOnce);

  /** Whatever ends this process leaves none behind. */
  function killAtOnce(): void {
    for (const one of running) one.signal("SIGKILL");
  }

  function start(slot: Slot): Running {
    number += 1;
    const preloads = [clockModule(root), ...(parts.preload === undefined ? [] : [join(root, parts.preload)])];
    const loaded = preloads.flatMap((one) => ["--import", one]);
    const child = spawn(
      process.execPath,
      [...loaded, program(root), "run", "--config", slot.config, "--log-level", "debug"],
      {
        cwd: folder,
        env: { PATH: process.env["PATH"], CHAOS_CLOCK_FILE: slot.clockFile, CHAOS_SLOT: slot.name },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const instance: Instance = {
      name: `${slot.name}${number}`,
      slot: slot.name,
      pid: child.pid ?? 0,
      startedAtMs: now(),
      diedAtMs: null,
      pause: null,
    };
    const one = runningFrom(child, instance, parts);
    running.add(one);
    void one.ended.then(() => running.delete(one));
    return one;
  }

  return {
    start,
    killAll: async () => {
      process.off("exit", killAtOnce);
      killAtOnce();
      await Promise.all([...running].map(({ ended }) => ended));
    },
    get alive() {
      return [...running].map(({ instance }) => instance).filter(({ diedAtMs }) => diedAtMs === null);
    },
  };
}

function runningFrom(child: ChildProcess, instance: Instance, parts: ProcessParts): Running {
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  let isOver = false;
  let isWanted = false;
  const rouse = (): void => {
    for (const look of waiting) look();
  };
  child.stdout?.setEncoding("utf8").on("data", (part: string) => parts.wrote(instance, part));
  child.stderr?.setEncoding("utf8").on("data", (part: string) => {
    parts.wrote(instance, part);
    const found = (rest + part).split("\n");
    rest = found.pop() ?? "";
    for (const text of found) {
      if (!text.startsWith("{")) continue;
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      parts.said(instance, line);
    }
    rouse();
  });
  const ended = once(child, "close").then(([code, signal]) => {
    const how = String((code as number | null) ?? signal);
    isOver = true;
    instance.diedAtMs ??= parts.now();
    parts.ended(instance, how, isWanted);
    rouse();
    return how;
  });

  function awaited(from: number, fits: (line: LogLine) => boolean, withinMs: number): Promise<LogLine | null> {
    let next = from;
    return new Promise((resolve) => {
      const settle = (line: LogLine | null): void => {
        clearTimeout(timer);
        waiting.delete(look);
        resolve(line);
      };
      const look = (): void => {
        while (next < lines.length) {
          const line = lines[next];
          next += 1;
          if (line !== undefined && fits(line)) return settle(line);
        }
        if (isOver) settle(null);
      };
      const timer = setTimeout(() => settle(null), withinMs);
      waiting.add(look);
      look();
    });
  }

  return {
    instance,
    says: (fits, withinMs) => awaited(0, fits, withinMs),
    saysNext: (fits, withinMs) => awaited(lines.length, fits, withinMs),
    signal: (signal) => {
      if (isOver) return;
      const nowMs = parts.now();
      if (signal === "SIGSTOP") instance.pause = { fromMs: nowMs, untilMs: null };
      else if (signal === "SIGCONT") {
        if (instance.pause !== null) instance.pause.untilMs = nowMs;
      } else isWanted = true;
      if (signal === "SIGKILL") instance.diedAtMs ??= nowMs;
      child.kill(signal);
    },
    ended,
  };
}

export function setClock(slot: Slot, offsetMs: number): void {
  writeFileSync(slot.clockFile, String(offsetMs));
}
