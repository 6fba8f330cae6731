/** Tells systemd how we are, by way of its own small program: node has no sockets of the kind that it listens on. */
import { execFile } from "node:child_process";
import type { Log } from "./log.js";

/** Starts a program without a shell and resolves when it ended well; rejects with `code` ENOENT where there is none. */
export type RunProgram = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => Promise<void>;

export interface NotifierOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Our own. */
  readonly pid: number;
  readonly log: Log;
  readonly run?: RunProgram;
}

/** Without systemd each of these does nothing. None throws, and only `stopping` is worth waiting for. */
export interface Notifier {
  /** How often `alive` is to be told, milliseconds: half of what systemd allows; null: it does not ask. */
  readonly watchdogMs: number | null;
  /** Also after `reloading`, when that is done. */
  ready(): void;
  reloading(): void;
  /** Told at most once at a time: two in a row say no more than one. */
  alive(): void;
  stopping(): Promise<void>;
}

const PROGRAM = "systemd-notify";
const RUN_TIMEOUT_MS = 2000;

export function createNotifier({ env, pid, log, run = runProgram }: NotifierOptions): Notifier {
  if (!env["NOTIFY_SOCKET"]) return SILENT;
  const tell = createTelling(env, log, run);
  let isAliveWaiting = false;
  return {
    watchdogMs: watchdogMsOf(env, pid),
    ready: () => void tell("READY=1"),
    reloading: () => void tell("RELOADING=1"),
    alive: () => {
      if (isAliveWaiting) return;
      isAliveWaiting = true;
      void tell("WATCHDOG=1").finally(() => {
        isAliveWaiting = false;
      });
    },
    stopping: () => tell("STOPPING=1"),
  };
}

const SILENT: Notifier = {
  watchdogMs: null,
  ready: () => undefined,
  reloading: () => undefined,
  alive: () => undefined,
  stopping: () => Promise.resolve(),
};

/** One after the other, since systemd must hear them in their order. */
function createTelling(env: NodeJS.ProcessEnv, log: Log, run: RunProgram): (state: string) => Promise<void> {
  // Nothing else of the environment: it may hold the keys of the exchange.
  const shared = Object.fromEntries(["NOTIFY_SOCKET", "PATH"].map((name) => [name, env[name]]));
  let last: Promise<void> = Promise.resolve();
  let trouble: "none" | "some" | "missing" = "none";
  const send = async (state: string): Promise<void> => {
    if (trouble === "missing") return;
    try {
      await run(PROGRAM, [state], shared);
      trouble = "none";
    } catch (error) {
      const wasWell = trouble === "none";
      trouble = codeOf(error) === "ENOENT" ? "missing" : "some";
      if (trouble === "missing") log.warn(`${PROGRAM} is not installed: systemd cannot be told that we are ready`);
      else if (wasWell) log.warn(`${PROGRAM} failed (${codeOf(error)}): systemd was not told ${state}`);
    }
  };
  return (state) => {
    last = last.then(() => send(state));
    return last;
  };
}

/** systemd.exec(5): the variables are inherited, and meant for the process that they name. */
function watchdogMsOf(env: NodeJS.ProcessEnv, pid: number): number | null {
  const { WATCHDOG_USEC: microseconds = "", WATCHDOG_PID: meant } = env;
  if (meant !== undefined && meant !== "" && meant !== String(pid)) return null;
  if (!/^[1-9]\d{0,14}$/.test(microseconds)) return null;
  return Math.max(1, Math.floor(Number(microseconds) / 2000));
}

const runProgram: RunProgram = (file, args, env) =>
  new Promise((resolve, reject) => {
    execFile(file, args, { env, timeout: RUN_TIMEOUT_MS, shell: false }, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" || typeof code === "number" ? String(code) : "no reason given";
}
