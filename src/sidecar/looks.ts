/** What a look changes in what is known of positions, and what it leaves to be looked at again. */
import type { Assessed, Assessment } from "../assess/assess.js";
import { type Picture, seenAtMs, wasSeen } from "../domain/picture.js";
import { contractText, keyText, type Position } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import type { Closer, Tell } from "./event.js";
import type { Live } from "./live.js";
import type { Lives } from "./lives.js";

export interface LooksParts {
  readonly lives: Lives;
  readonly live: Live;
  readonly tell: Tell;
  readonly closerOf: (position: Position) => Closer;
}

/** A fill may be pushed before reads show it. */
const READS_LAG_MS = 3_000;
/** What is critical is told again for as long as it lasts. */
const TELL_AGAIN_MS = 60_000;

export class Looks {
  readonly #parts: LooksParts;
  /** Per contract, when the look was asked for that was taken in last: each is taken in once. */
  readonly #takenInMs = new Map<string, number>();
  /** Per position and code of the findings that still hold, when they were told last. */
  readonly #toldFindings = new Map<string, ReadonlyMap<string, number>>();

  constructor(parts: LooksParts) {
    this.#parts = parts;
  }

  /** Hands back the contracts of known positions that the look does not show and that are not believed closed yet. */
  looked(picture: Picture, assessment: Assessment, nowMs: number): readonly Contract[] {
    const { live, lives, tell } = this.#parts;
    const wasWhole = live.isWhole();
    live.looked(picture.snapshot);
    if (!wasWhole && live.isWhole()) tell({ kind: "watching", account: picture.snapshot.account });
    const isNew = (contract: Contract) =>
      seenAtMs(picture, contract) > (this.#takenInMs.get(contractText(contract)) ?? Number.NEGATIVE_INFINITY);
    const fresh = assessment.positions.filter(({ position }) => isNew(position.key));
    for (const assessed of fresh) {
      const { position } = assessed;
      for (const event of lives.saw(position, seenAtMs(picture, position.key))) tell(event);
      for (const event of lives.judged(assessed, nowMs, stopCreatedAtMs(assessed, picture))) tell(event);
      this.#tellFindings(assessed, nowMs);
    }
    const missing = this.#missing(picture, assessment, isNew);
    for (const { position } of fresh) this.#takenInMs.set(contractText(position.key), seenAtMs(picture, position.key));
    return missing;
  }

  #missing(picture: Picture, assessment: Assessment, isNew: (contract: Contract) => boolean): readonly Contract[] {
    const { lives, tell, closerOf } = this.#parts;
    const shown = new Set(assessment.positions.map(({ position }) => keyText(position.key)));
    const unreadable = new Set(assessment.unseen.map(({ row }) => row.symbol));
    const { vanished, closed } = picture.absence;
    const missing: Contract[] = [];
    for (const { position, asOfMs } of lives.all()) {
      const { key } = position;
      const name = keyText(key);
      const seenMs = seenAtMs(picture, key);
      if (shown.has(name) || !isNew(key) || seenMs < asOfMs) continue;
      // One that no look has ever shown was pushed alone.
      const isReadable = wasSeen(picture, key) && !unreadable.has(key.symbol);
      const wasNeverSeen = !vanished.has(name) && seenMs >= asOfMs + READS_LAG_MS && isReadable;
      if (!closed.has(name) && !wasNeverSeen) {
        missing.push(key);
        continue;
      }
      for (const event of lives.sawFlat(key, seenMs, closerOf(position))) tell(event);
      this.#toldFindings.delete(name);
    }
    return missing;
  }

  /** Each finding of consequence once, until it is gone; a critical one again and again. */
  #tellFindings({ position, findings }: Assessed, nowMs: number): void {
    const name = keyText(position.key);
    const before = this.#toldFindings.get(name);
    const told = new Map<string, number>();
    for (const finding of findings) {
      const lastMs = before?.get(finding.code) ?? Number.NEGATIVE_INFINITY;
      const isDue = finding.severity === "critical" ? nowMs - lastMs >= TELL_AGAIN_MS : lastMs < 0;
      if (finding.severity !== "info" && isDue) this.#parts.tell({ kind: "finding", key: position.key, finding });
      told.set(finding.code, isDue ? nowMs : lastMs);
    }
    this.#toldFindings.set(name, told);
  }
}

/** When the last of the orders that cover a position was made, by the exchange's clock. */
function stopCreatedAtMs({ stop }: Assessed, { snapshot }: Picture): number | null {
  const ids = new Set((stop.inside?.legs ?? []).map(({ orderId }) => orderId));
  const times = snapshot.orders.filter(({ orderId }) => ids.has(orderId)).map(({ createdAtMs }) => createdAtMs);
  return times.reduce<number | null>((latest, ms) => (ms === null ? latest : Math.max(latest ?? ms, ms)), null);
}
