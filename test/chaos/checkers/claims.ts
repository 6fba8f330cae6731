/** What the processes say: protected and confirmed, each of which must have been true at the exchange lately (S11). */
import { parseDecimal } from "../../../src/domain/decimal.js";
import type { Instance, LogLine } from "../processes.js";
import type { LegState } from "../record.js";
import { count, latenessMs, type Notes } from "./notes.js";

/** A look may take so long, and show what was true a little before it. */
const LOOK_MS = 20_000;
/** A step is proven by whichever later look shows it, also one that a cut line has held up. */
const PROOF_MS = 80_000;

export function checkClaim(notes: Notes, instance: Instance, line: LogLine): void {
  const isProtected = line.msg === "a stop for the whole position rests at the exchange";
  const isConfirmed = line.msg === "confirmed" && line["action"] === "set-trading-stop";
  if (!isProtected && !(isConfirmed && line["stopLoss"] !== undefined)) return;
  const nowMs = notes.record.now();
  const { symbol, positionIdx, side, stopLoss } = line;
  const leg = `${String(symbol)}/${String(positionIdx)}`;
  const price = parseDecimal(String(stopLoss));
  const holds = (state: LegState): boolean =>
    state.side === side && price !== null && state.stop?.price.eq(price) === true;
  count(notes, isProtected ? "said protected" : "said confirmed");
  const sinceMs = nowMs - (isProtected ? LOOK_MS : PROOF_MS) - latenessMs(instance, nowMs);
  if (!notes.record.everSince(leg, sinceMs, holds))
    notes.broken(
      "S11",
      `${instance.name} says "${line.msg}" of ${leg} ${String(side)} at ${String(stopLoss)}, where no such stop has stood`,
    );
}

interface SaidPosition {
  readonly symbol: string;
  readonly positionIdx: number;
  readonly status: string;
}

/** A report, held against what has stood since it was asked for. */
export function checkReport(notes: Notes, positions: readonly SaidPosition[], askedAtMs: number): void {
  for (const { symbol, positionIdx, status } of positions) {
    const leg = `${symbol}/${positionIdx}`;
    const isTrue = notes.record.everSince(leg, askedAtMs, ({ side, stop }) => side !== null && stop !== null);
    if (status === "protected" && !isTrue) notes.broken("S11", `the report calls ${leg} protected, and no stop stands`);
  }
}
