/** The first looks of a pass: at everything, and a moment later at what is in doubt. */
import type { Assessed } from "../assess/assess.js";
import { lookedAgain, notSeenAgain, pictureOf, vanishedContracts } from "../domain/picture.js";
import { type Contract, isBlindFor, type Snapshot } from "../domain/snapshot.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { ReadManner } from "../exchange/port.js";
import { type Attentive, nextView, NOTHING_BEFORE, type View, viewOf } from "./view.js";

/** A row and its orders may disagree for a moment after a change by another hand. */
const SECOND_LOOK_AFTER_MS = 500;
/** Enough for two flat rows that are far enough apart, and a list. */
const MOST_PROOF_LOOKS = 7;

/** Looks at the whole scope; at what is in doubt a second time, once nobody waits for a stop. @throws ExchangeFailure */
export async function firstView(options: Attentive, manner: ReadManner): Promise<View> {
  const { scope = "account", before, attention, remembered } = options;
  const looked = await remembered.look(scope, manner);
  // A first look that took long is made anew before anything is decided from it.
  const picture =
    before === undefined ? pictureOf(looked) : { ...lookedAgain(before, looked, options.isToldFlat), again: null };
  const view = viewOf(picture, NOTHING_BEFORE, options);
  // An auction ends, and contracts are kept for an hour: what may be over by now is looked at by their present phase.
  if (view.assessment.positions.some(isInAuction)) options.refreshInstruments?.();
  const inDoubt = view.assessment.positions
    .filter((assessed) => (isDoubtful(assessed) || isInAuction(assessed)) && attention.has(assessed.position.key))
    .map(({ position }) => position.key)
    .filter((contract) => !wasLeftOut(contract, looked));
  if (inDoubt.length === 0) return view;
  const isWaitedFor = manner === "hasty" && view.planned.some(({ held }) => held === null);
  if (isWaitedFor) return { ...view, inDoubt };
  const seen = await secondView({ ...view, braked: null, inDoubt }, options, manner);
  // Who writes has others to protect meanwhile.
  return options.writer === undefined ? proven(seen, options) : seen;
}

const NOT_SEEN_TWICE = "it was to be read a second time, and could not be";

/** What was in doubt is looked at again, after a moment. */
export async function secondView(view: View, options: Attentive, manner: ReadManner): Promise<View> {
  const { clock } = options;
  await clock.sleep(Math.max(0, view.picture.latest.receivedAtMs + SECOND_LOOK_AFTER_MS - clock.now()));
  const again = await nextView(view, view.inDoubt, options, manner);
  if (again !== null) return { ...again, inDoubt: [] };
  // That it could not be read is no second sign of anything.
  const picture = notSeenAgain(view.picture, view.inDoubt, NOT_SEEN_TWICE);
  return viewOf(picture, { ...view, inDoubt: [] }, options);
}

/** What has just stayed silent is asked again when there is time. */
function wasLeftOut(contract: Contract, { wentOnWithout, gaps }: Snapshot): boolean {
  return wentOnWithout && gaps.some((gap) => isBlindFor(gap, contract));
}

function isDoubtful({ status }: Assessed): boolean {
  return status === "unknown";
}

/** What is settled by the exchange itself stays so. */
function isInAuction({ status, market }: Assessed): boolean {
  return (
    status === "unprotectable" && market?.instrument.status !== "delivering" && market?.instrument.status !== "closed"
  );
}

/** Between two looks positions may close, as at any time; who only reads waits until that is proven, or shown wrong. */
async function proven(view: View, options: Attentive): Promise<View> {
  let latest = view;
  for (let look = 0; look < MOST_PROOF_LOOKS; look += 1) {
    const vanished = vanishedContracts(latest.picture);
    if (vanished.length === 0) break;
    await options.clock.sleep(SECOND_LOOK_AFTER_MS);
    latest = (await nextView(latest, vanished, options, "prompt")) ?? latest;
  }
  return latest;
}

/** While a person thought, another hand may have acted. A look that fails leaves the old view, too old to act on. */
export async function freshView(view: View, options: Attentive): Promise<View> {
  try {
    return await firstView(options, "hasty");
  } catch (error) {
    if (error instanceof ExchangeFailure) return view;
    throw error;
  }
}
