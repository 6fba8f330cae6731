/** While the stream is well, whatever opens is protected at once and not with the next sweep. */
import { print } from "../../../src/domain/decimal.js";
import { instrumentOf } from "../hands.js";
import { count, type Notes } from "./ledger.js";
import { naked, waitUntilProtected } from "./naked.js";

/** L3, beside what the config says to wait, and what the exchange takes to show a fill and a stop. */
const PROMPT_MS = 2_000;

export async function checkPrompt(notes: Notes, wait: (ms: number) => Promise<void>, isWell: boolean): Promise<void> {
  const { run, broken } = notes;
  const { story } = run;
  const open = run.venue.states().filter(({ side }) => side !== null);
  const symbol = story.symbols.find((one) => one !== story.ignored && !open.some((state) => state.symbol === one));
  // An intent may ask for a level that is past, or for none.
  if (symbol === undefined || !isWell || story.intents || story.protection.mode === "report-only") return;
  const size = print(instrumentOf(run, symbol).qtyStep);
  if (!run.venue.act("bot", (it) => it.open({ symbol, side: "long", size }))) return;
  count(notes, "opened in calm");
  const { fillToPositionMs, stopToVisibleMs } = story.lags;
  const withinMs = PROMPT_MS + story.protection.graceMs + fillToPositionMs + stopToVisibleMs;
  await waitUntilProtected(notes, withinMs, wait, (state) => state.symbol === symbol);
  for (const { leg } of naked(notes).filter((state) => state.symbol === symbol))
    broken("L3", `${leg}: no stop ${withinMs} ms after it opened, while the stream is well`);
}
