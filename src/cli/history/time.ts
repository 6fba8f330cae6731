/** Moments of the ledger as text. */
import { timeText } from "../../report/wording.js";

const LATEST_MS = 8_640_000_000_000_000;

/** ISO 8601; a number that is no moment stays a number. */
export function isoTime(atMs: number): string {
  return Math.abs(atMs) <= LATEST_MS ? new Date(atMs).toISOString() : String(atMs);
}

/** "2026-01-01 00:00:00 UTC". */
export function plainTime(atMs: number): string {
  return timeText(isoTime(atMs));
}
