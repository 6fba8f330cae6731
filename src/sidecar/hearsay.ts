/** What the stream has told against what the latest look has shown: nothing is said of it until a look shows it. */
import { type Assessed, type Assessment, lostFromSight, type Unseen, unseenOf } from "../assess/assess.js";
import { type Picture, seenAtMs } from "../domain/picture.js";
import { contractText, keyText, type Position, type PositionKey, type UnreadablePosition } from "../domain/position.js";
import type { Contract, Gap } from "../domain/snapshot.js";
import { contractOf, type Push } from "../exchange/stream.js";
import type { Tell } from "./event.js";
import { type Live, READ_LAG_MS } from "./live.js";
import type { Lives } from "./lives.js";
import type { PassBasics } from "./parts.js";
import { speaksAgainst } from "./rebuttal.js";
import { UnseenRows } from "./unseen.js";

export interface HearsayParts {
  readonly live: Live;
  readonly lives: Lives;
  readonly tell: Tell;
  readonly pass: Pick<PassBasics, "policyOf" | "clock">;
}

const CHANGED = "the stream has told of a change that no look has shown yet";
const OPENED = "the stream has told that it has opened, and no look has shown it yet";
const MISSED = "the stream has told that it has opened, and a look does not show it";

/** As a rule a look follows a push within a moment: only what lasts is an alarm. */
const TELL_AFTER_MS = 2_000;
/** What a look does not show has closed again as a rule, which a few more looks prove. */
const MISSED_FOR_MS = 5_000;

interface Doubt {
  readonly contract: Contract;
  /** When the last push came that speaks against what was shown. */
  readonly atMs: number;
}

export class Hearsay {
  readonly #parts: HearsayParts;
  readonly #lasting: UnseenRows;
  /** By `keyText`. */
  #doubts = new Map<string, Doubt>();
  #picture: Picture | null = null;
  #assessment: Assessment | null = null;
  /** What the latest look has shown, by `contractText`. */
  #shown: ReadonlyMap<string, readonly Assessed[]> = new Map();

  constructor(parts: HearsayParts) {
    this.#parts = parts;
    this.#lasting = new UnseenRows(parts.tell, ({ reason }) => (reason === MISSED ? MISSED_FOR_MS : TELL_AFTER_MS));
  }

  heard(push: Push, nowMs: number): void {
    for (const { key } of this.#against(push)) this.#doubts.set(keyText(key), { contract: key, atMs: nowMs });
  }

  /**
   * Hands back the contracts of which this look settles nothing: it was asked for before the last push about them, or
   * shows them as they were before a push that leaves no doubt, for reads may lag a moment behind the stream. To be
   * called when the stream knows of the look.
   */
  looked(picture: Picture, assessment: Assessment): readonly Contract[] {
    this.#picture = picture;
    this.#assessment = assessment;
    this.#shown = byContract(assessment.positions);
    const isAnswered = ({ contract, atMs }: Doubt) => atMs <= seenAtMs(picture, contract);
    const doubts = new Map([...this.#doubts].filter(([, doubt]) => !isAnswered(doubt)));
    const lagging: Contract[] = [...doubts.values()].map(({ contract }) => contract);
    for (const { push, atMs } of this.#parts.live.pushedSince(picture.latest.requestedAtMs - READ_LAG_MS)) {
      for (const { key } of this.#against(push)) {
        const doubt = { contract: key, atMs };
        if (isAnswered(doubt) && !this.#isSure(push)) continue;
        doubts.set(keyText(key), doubt);
        if (isAnswered(doubt)) lagging.push(key);
      }
    }
    this.#doubts = doubts;
    this.tick();
    return lagging;
  }

  /** What may be said at this moment: what the stream speaks against is unknown, and so is what it has told alone. */
  now(assessment: Assessment): Assessment {
    const changed = this.#changed(assessment);
    const opened = this.#opened(assessment);
    if (changed.size === 0 && opened.length === 0) return assessment;
    const { positions, unseen, snapshot } = assessment;
    const unproven = [...changed.values(), ...opened].map(rowOf);
    return {
      positions: positions.map((assessed) => changed.get(assessed) ?? assessed),
      unseen: [...unseen, ...opened],
      snapshot: { ...snapshot, gaps: [...snapshot.gaps, ...gapsOf(unproven)] },
    };
  }

  /** To be called once a second: what has lasted is told. */
  tick(): void {
    if (this.#assessment === null) return;
    const changed = [...this.#changed(this.#assessment).values()];
    const lasting = changed.map((assessed): Unseen => {
      const findings = assessed.findings.filter(({ code }) => code === "unreadable");
      return { kind: "unseen", row: rowOf(assessed), findings };
    });
    this.#lasting.looked([...lasting, ...this.#opened(this.#assessment)], this.#parts.pass.clock.now());
  }

  #against(push: Push): readonly Position[] {
    const contract = contractOf(push);
    const shown = contract === null ? [] : (this.#shown.get(contractText(contract)) ?? []);
    const orders = this.#assessment?.snapshot.orders ?? [];
    return shown.filter((assessed) => speaksAgainst(push, assessed, orders)).map(({ position }) => position);
  }

  /** A close or an order that is gone is no matter of timing, unless a later push tells otherwise. */
  #isSure(push: Push): boolean {
    if (push.kind === "position-flat") return this.#parts.live.lastPushed(push.key) === null;
    return push.kind === "order-gone" && push.how !== "unknown";
  }

  /** Those that the stream speaks against, as they count now. */
  #changed({ positions, snapshot }: Assessment): ReadonlyMap<Assessed, Assessed> {
    const doubted = positions.filter(({ position }) => this.#doubts.has(keyText(position.key)));
    const counted = doubted.map((assessed) => [assessed, lostFromSight(assessed, CHANGED, snapshot)] as const);
    return new Map(counted.filter(([, { status }]) => status === "unknown"));
  }

  /** Those that only the stream has told of. */
  #opened({ positions, unseen }: Assessment): readonly Unseen[] {
    const picture = this.#picture;
    if (picture === null) return [];
    const { lives, pass } = this.#parts;
    const shown = new Set(positions.map(({ position }) => keyText(position.key)));
    return lives.all().flatMap(({ position: { key, side }, asOfMs }) => {
      const isShown = shown.has(keyText(key)) || unseen.some(({ row }) => isAbout(row, key));
      if (isShown || pass.policyOf(key, side).ignored) return [];
      return [unseenOf({ ...key, side, reason: seenAtMs(picture, key) < asOfMs ? OPENED : MISSED })];
    });
  }
}

function isAbout({ category, symbol, positionIdx }: UnreadablePosition, key: PositionKey): boolean {
  const isOfContract = category === key.category && symbol === key.symbol;
  return isOfContract && (positionIdx === null || positionIdx === key.positionIdx);
}

function rowOf(one: Assessed | Unseen): UnreadablePosition {
  if (one.kind === "unseen") return one.row;
  const { key, side } = one.position;
  return { ...key, side, reason: CHANGED };
}

/** Both legs of a hedge are one contract. */
function gapsOf(rows: readonly UnreadablePosition[]): readonly Gap[] {
  const gaps = rows.flatMap(({ category, symbol, reason }): [string, Gap][] =>
    symbol === null
      ? []
      : [[contractText({ category, symbol }), { category, what: "positions", symbols: [symbol], reason }]],
  );
  return [...new Map(gaps).values()];
}

function byContract(positions: readonly Assessed[]): ReadonlyMap<string, readonly Assessed[]> {
  const groups = new Map<string, Assessed[]>();
  for (const assessed of positions) {
    const contract = contractText(assessed.position.key);
    groups.set(contract, [...(groups.get(contract) ?? []), assessed]);
  }
  return groups;
}
