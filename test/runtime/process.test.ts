/** The clock and the file modes of the process. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { keepNewFilesPrivate, systemClock } from "../../src/runtime/index.js";

test("the wall clock may be set back without moving the monotonic one", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
  try {
    const before = systemClock.monotonicMs();
    vi.setSystemTime(1000);
    expect(systemClock.now()).toBe(1000);
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before);
  } finally {
    vi.useRealTimers();
  }
});

test("a file made after start is readable by nobody else", () => {
  const folder = mkdtempSync(join(tmpdir(), "backstop-umask-"));
  const before = process.umask();
  try {
    keepNewFilesPrivate();
    writeFileSync(join(folder, "file"), "x");
    expect(statSync(join(folder, "file")).mode & 0o777).toBe(0o600);
  } finally {
    process.umask(before);
    rmSync(folder, { recursive: true });
  }
});
