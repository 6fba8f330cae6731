/** One contract that cannot be read: it is left alone and counted as unknown, and everybody else is guarded as ever. */
import type { Running } from "../sidecar.js";
import type { LegState } from "../venue.js";
import { naked, PATIENCE_MS, promisedMs, waitUntilProtected } from "./naked.js";
import type { Notes } from "./ledger.js";

export async function checkSpoilt(
  notes: Notes,
  wait: (ms: number) => Promise<void>,
  writer: () => Running | undefined,
): Promise<void> {
  const { run, broken } = notes;
  const { spoilt } = run.story;
  if (spoilt === null || spoilt === run.story.ignored) return;
  const isSpoilt = ({ symbol }: LegState) => symbol === spoilt;
  run.spoilt = spoilt;
  // What was read before is not decided from any more.
  await wait(PATIENCE_MS);
  for (const state of run.venue.states()) if (state.side !== null) undress(notes, state);
  const fromMs = run.time.elapsedMs;
  await waitUntilProtected(notes, promisedMs(run) + PATIENCE_MS, wait, (state) => !isSpoilt(state));
  await wait(PATIENCE_MS);
  for (const { leg } of naked(notes).filter((state) => !isSpoilt(state)))
    broken("S19", `${leg}: not protected, because another contract cannot be read`);
  const written = [...notes.writes.values()].flat().filter(({ sent }) => sent.atMs >= fromMs);
  for (const { leg } of written.filter(({ sent }) => sent.outgoing.params["symbol"] === spoilt))
    broken("S18", `${leg}: written, although its row holds a word that nobody knows`);
  // Where nothing of it was pushed, the next sweep is the first that sees it; the watchdog's, where the clock was set just now.
  await wait(run.story.sweepSeconds * 1_500);
  const positions = writer()?.sidecar?.status().accounts[0]?.positions;
  const open = run.venue.states().filter((state) => isSpoilt(state) && state.side !== null).length;
  if (positions !== undefined && positions.unknown < open)
    broken("S18", `${open} positions cannot be read, and ${positions.unknown} count as unknown`);
  run.spoilt = null;
}

/** A person takes the stop away, so that there is something to do. */
function undress({ run }: Notes, { symbol, positionIdx }: LegState): void {
  run.venue.act("person", (it) => it.tradingStop({ symbol, positionIdx, stopLoss: "0", tpslMode: "Full" }));
}
