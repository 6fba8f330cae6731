/** What a look changes in what is known of positions, and what it leaves to be looked at again. */
import type { Assessed, Assessment } from "../assess/assess.js";
import type { Finding } from "../assess/finding.js";
import { isProvenClosed, type Picture, seenAtMs, wasSeen } from "../domain/picture.js";
import { contractText, keyText, type Position, type PositionKey } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import { FLAT_APART_MS, saysFlat } from "../domain/vanished.js";
import type { Closer, Tell } from "./event.js";
import type { Live } from "./live.js";
import type { Lives } from "./lives.js";
import { UnseenRows } from "./unseen.js";

export interface LooksParts {
  readonly lives: Lives;
  readonly live: Live;
  readonly tell: Tell;
  readonly closerOf: (position: Position) => Closer;
}

/** What leaves a position without protection is told again for as long as it lasts. */
const TELL_AGAIN_MS = 60_000;
/** A row and an order that differ are looked at again meanwhile. */
const SPLIT_FOR_MS = 2_000;

export interface LookTime {
  readonly nowMs: number;
  /** Which pass looks, counted from the first. */
  readonly pass: number;
}

/** A finding that holds. */
interface Held {
  /** When it was told last; null: not yet. */
  readonly toldMs: number | null;
  /** The pass that found it first. */
  readonly sincePass: number;
  readonly sinceMs: number;
}

export class Looks {
  readonly #parts: LooksParts;
  /** Per contract, when the look was asked for that was taken in last: each is taken in once. */
  readonly #takenInMs = new Map<string, number>();
  /** Per position and code, the findings that still hold. */
  readonly #findings = new Map<string, ReadonlyMap<string, Held>>();

  /** Per position that was pushed and never shown, since when its own row says flat: when that look was asked for. */
  readonly #flatSinceMs = new Map<string, number>();
  readonly #unseen: UnseenRows;

  constructor(parts: LooksParts) {
    this.#parts = parts;
    this.#unseen = new UnseenRows(parts.tell);
  }

  /** Hands back the contracts of positions that the look does not show and that are not believed closed yet. */
  looked(picture: Picture, assessment: Assessment, time: LookTime): readonly Contract[] {
    const { nowMs } = time;
    const { live, lives, tell } = this.#parts;
    const wasWhole = live.isWhole();
    live.looked(picture.latest);
    if (!wasWhole && live.isWhole()) tell({ kind: "watching", account: picture.snapshot.account });
    const isNew = (contract: Contract) =>
      seenAtMs(picture, contract) > (this.#takenInMs.get(contractText(contract)) ?? Number.NEGATIVE_INFINITY);
    const fresh = assessment.positions.filter(({ position }) => isNew(position.key));
    for (const assessed of fresh) {
      const { position } = assessed;
      for (const event of lives.saw(position, seenAtMs(picture, position.key))) tell(event);
      for (const event of lives.judged(assessed, nowMs, stopCreatedAtMs(assessed, picture))) tell(event);
      this.#tellFindings(assessed, time);
    }
    this.#unseen.looked(assessment.unseen, nowMs);
    const missing = this.#missing(picture, assessment, isNew);
    for (const { position } of fresh) this.#takenInMs.set(contractText(position.key), seenAtMs(picture, position.key));
    return missing;
  }

  /** What held for a position that has closed or flipped is told anew of the next. */
  ended(key: PositionKey): void {
    this.#findings.delete(keyText(key));
    this.#flatSinceMs.delete(keyText(key));
  }

  #missing(picture: Picture, assessment: Assessment, isNew: (contract: Contract) => boolean): readonly Contract[] {
    const { lives, tell, closerOf } = this.#parts;
    const shown = new Set(assessment.positions.map(({ position }) => keyText(position.key)));
    const unreadable = new Set(assessment.unseen.map(({ row }) => row.symbol));
    const { vanished } = picture.absence;
    const missing: Contract[] = [];
    for (const { position, asOfMs } of lives.all()) {
      const { key } = position;
      const name = keyText(key);
      const seenMs = seenAtMs(picture, key);
      if (shown.has(name) || !isNew(key) || seenMs < asOfMs) continue;
      // One that no look has ever shown was pushed alone.
      const isReadable = wasSeen(picture, key) && !unreadable.has(key.symbol) && !vanished.has(name);
      const isProvenFlat = isReadable && this.#isFlatForLong(key, picture);
      if (!isProvenClosed(picture, name, asOfMs) && !isProvenFlat) {
        missing.push(key);
        continue;
      }
      for (const event of lives.sawFlat(key, seenMs, closerOf(position))) tell(event);
    }
    for (const { position } of assessment.positions) this.#flatSinceMs.delete(keyText(position.key));
    // A push has told the close of these, and the stream dropped before any look agreed: no list will name them.
    const untold = [...vanished.values()].filter(({ position }) => lives.get(position.key) === undefined);
    return [...missing, ...untold.map(({ position }) => position.key)];
  }

  /** A list without it proves nothing; its own row does that says flat in two looks which do not lag. */
  #isFlatForLong(key: PositionKey, picture: Picture): boolean {
    const name = keyText(key);
    const seenMs = seenAtMs(picture, key);
    if (!saysFlat(key, picture.snapshot)) {
      this.#flatSinceMs.delete(name);
      return false;
    }
    const sinceMs = this.#flatSinceMs.get(name) ?? seenMs;
    this.#flatSinceMs.set(name, sinceMs);
    return seenMs - sinceMs >= FLAT_APART_MS;
  }

  /** Each finding of consequence once, until it is gone; again and again, where nothing protects meanwhile. */
  #tellFindings({ position, findings, stop }: Assessed, { nowMs, pass }: LookTime): void {
    const name = keyText(position.key);
    const before = this.#findings.get(name);
    const now = new Map<string, Held>();
    for (const finding of findings) {
      const { toldMs = null, sincePass = pass, sinceMs = nowMs } = before?.get(finding.code) ?? {};
      // Row and order are not listed in the same moment: what moves often differs for a look.
      const isSplit = finding.code === "unreadable" && stop.isContradicted && nowMs - sinceMs < SPLIT_FOR_MS;
      const isDue = isDueNow(finding, toldMs, nowMs) && !isSplit && !(isEstimate(finding) && sincePass === pass);
      if (isDue) this.#parts.tell({ kind: "finding", place: position.key, finding });
      now.set(finding.code, { toldMs: isDue ? nowMs : toldMs, sincePass, sinceMs });
    }
    this.#findings.set(name, now);
  }
}

function isDueNow({ severity, code }: Finding, toldMs: number | null, nowMs: number): boolean {
  if (severity === "info") return false;
  // Nobody can set a stop now, and the position is as naked as any.
  const isLasting = severity === "critical" || code === "unprotectable";
  return toldMs === null || (isLasting && nowMs - toldMs >= TELL_AGAIN_MS);
}

/** The liquidation price in cross margin moves with the whole account: two passes in a row must agree. */
function isEstimate({ code, severity }: Finding): boolean {
  return code === "stop-beyond-liquidation" && severity === "warning";
}

/** When the last of the orders that cover a position was made, by the exchange's clock. */
function stopCreatedAtMs({ stop }: Assessed, { snapshot }: Picture): number | null {
  const ids = new Set((stop.inside?.legs ?? []).map(({ orderId }) => orderId));
  const times = snapshot.orders.filter(({ orderId }) => ids.has(orderId)).map(({ createdAtMs }) => createdAtMs);
  return times.reduce<number | null>((latest, ms) => (ms === null ? latest : Math.max(latest ?? ms, ms)), null);
}
