/** The folder of the ledger on a disk that can be filled and freed: a small tmpfs where one may be mounted, else a limit on files. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import Libsql from "libsql";

export type DiskKind = "tmpfs" | "limit" | "none";

export interface Disk {
  readonly kind: DiskKind;
  /** For processes that start while it is full as well. */
  fill(pids: readonly number[]): void;
  /** A new process, to which a limit has to be told. */
  started(pid: number): void;
  free(pids: readonly number[]): void;
  readonly isFull: boolean;
  close(): void;
}

/** Hours of history, and a moment to fill. */
const SIZE = "48m";
const BLOCK = Buffer.alloc(64 * 1_024);

export function openDisk(folder: string, ledger: string, asked: DiskKind | "auto"): Disk {
  mkdirSync(folder, { mode: 0o700 });
  if ((asked === "auto" || asked === "tmpfs") && isMounted(folder)) return onTmpfs(folder, ledger);
  if ((asked === "auto" || asked === "limit") && canLimit()) return byLimit();
  const nothing = { fill: () => undefined, started: () => undefined, free: () => undefined, close: () => undefined };
  return { kind: "none", isFull: false, ...nothing };
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function isMounted(folder: string): boolean {
  const isRoot = process.getuid?.() === 0;
  return isRoot && succeeds("mount", ["-t", "tmpfs", "-o", `size=${SIZE},mode=0700`, "tmpfs", folder]);
}

function onTmpfs(folder: string, ledger: string): Disk {
  const ballast = join(folder, "ballast");
  let isFull = false;
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    succeeds("umount", ["--lazy", folder]);
  };
  process.once("exit", close);
  return {
    kind: "tmpfs",
    get isFull() {
      return isFull;
    },
    fill: () => {
      if (isFull) return;
      isFull = true;
      foldLog(ledger);
      fillUp(ballast);
    },
    started: () => undefined,
    free: () => {
      isFull = false;
      rmSync(ballast, { force: true });
    },
    close: () => {
      process.off("exit", close);
      close();
    },
  };
}

/** SQLite goes on writing into the room that its log already has: a log that was folded in needs new room at once. */
function foldLog(ledger: string): void {
  try {
    const database = new Libsql(ledger);
    database.pragma("wal_checkpoint(TRUNCATE)");
    database.close();
  } catch {
    // Not there yet, or busy: then the disk is felt a little later.
  }
}

function fillUp(file: string): void {
  const descriptor = openSync(file, "a", 0o600);
  try {
    for (let bytes = BLOCK.length; bytes >= 1; bytes = Math.floor(bytes / 2)) writeAll(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: number): void {
  try {
    while (writeSync(descriptor, BLOCK, 0, bytes) === bytes);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}

const prlimit = (pid: number, bytes: string): boolean =>
  succeeds("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]);

/** Looked up on this very process, to which nothing changes. */
const canLimit = (): boolean => process.platform === "linux" && prlimit(process.pid, "unlimited");

/** Every file write fails with EFBIG, as with ENOSPC on a full disk; Node ignores the signal that comes with it. */
function byLimit(): Disk {
  let isFull = false;
  return {
    kind: "limit",
    get isFull() {
      return isFull;
    },
    fill: (pids) => {
      isFull = true;
      for (const pid of pids) prlimit(pid, "1");
    },
    started: (pid) => {
      if (isFull) prlimit(pid, "1");
    },
    free: (pids) => {
      isFull = false;
      for (const pid of pids) prlimit(pid, "unlimited");
    },
    close: () => undefined,
  };
}
