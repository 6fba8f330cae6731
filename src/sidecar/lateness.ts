/** How late a push is by the exchange's own time; what nobody can tell counts as late. */

/** A push that has waited longer than this, say in a process that stood still, wakes a look and tells nothing else. */
const MOST_LATE_MS = 5_000;

/**
 * `exchangeNowMs`: the exchange's time, null where it is not known. A push from the future shows that our measure of
 * that time is wrong, so nothing is known of its age either.
 */
export function isLate(pushedAtMs: number, exchangeNowMs: number | null): boolean {
  return exchangeNowMs === null || Math.abs(exchangeNowMs - pushedAtMs) > MOST_LATE_MS;
}
