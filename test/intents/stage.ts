/** A shelf over a real ledger and the lives that it goes by, for tests of intents. */
import type { Life } from "../../src/ledger/port.js";
import { type Intent, type Ledger, LedgerError } from "../../src/ledger/port.js";
import { type IntentEvent, openShelf, type Shelf } from "../../src/intents/shelf.js";
import { type IntentDocument, intentDocument } from "../../src/intents/document.js";
import { fileUrl, intent, KEY, life, NOW_MS, opened } from "../ledger/stage.js";

export { KEY, NOW_MS };

export function wish(over: Readonly<Record<string, unknown>> = {}): IntentDocument {
  return intentDocument.parse({ side: "long", stopLoss: "90", ...over });
}

/** Asked for at `NOW_MS`, for ten minutes. */
export function anIntent(over: Partial<Intent> = {}): Intent {
  return intent(over);
}

export function aLife(over: Partial<Life> = {}): Life {
  return life({ openedAtMs: NOW_MS + 1_000, firstSeenMs: NOW_MS + 1_500, ...over });
}

export interface ShelfStage {
  readonly shelf: Shelf;
  readonly ledger: Ledger;
  readonly clock: { nowMs: number };
  /** `set intent-1`, in order. */
  readonly told: string[];
  /** Ids of lives that are over. */
  readonly over: Set<string>;
  /** Methods of the ledger that fail until they are taken out. */
  readonly broken: Set<keyof Ledger>;
  /** The next question to the ledger is answered, with what it holds when it is asked, only when this is called. */
  late(): () => void;
  /** Another process, or this one after a restart, over the same ledger. */
  another(): Shelf;
}

export async function openStage(): Promise<ShelfStage> {
  const { ledger, clock } = await opened(fileUrl());
  const told: string[] = [];
  const over = new Set<string>();
  const broken = new Set<keyof Ledger>();
  const failing = <Name extends "intents" | "saveIntent" | "bindIntent" | "endIntent">(name: Name): Ledger[Name] =>
    ((...given: never[]) =>
      broken.has(name)
        ? Promise.reject(new LedgerError("unreachable", "the disk is full"))
        : (ledger[name] as (...all: never[]) => unknown)(...given)) as Ledger[Name];
  let answered = Promise.resolve();
  const intents: Ledger["intents"] = async (filter) => {
    const held = answered;
    answered = Promise.resolve();
    const found = await failing("intents")(filter);
    await held;
    return found;
  };
  const late = () => {
    let answer: () => void = () => undefined;
    answered = new Promise((resolve) => {
      answer = resolve;
    });
    return () => answer();
  };
  const another = () =>
    openShelf({
      ledger: {
        intents,
        saveIntent: failing("saveIntent"),
        bindIntent: failing("bindIntent"),
        endIntent: failing("endIntent"),
      },
      now: () => clock.nowMs,
      tell: ({ change, intent: { id } }: IntentEvent) => void told.push(`${change} ${id}`),
      mayBind: () => true,
      isOver: (_account, lifeId) => over.has(lifeId),
    });
  return { shelf: another(), ledger, clock, told, over, broken, late, another };
}

/** `bound intent-1`, as the ledger holds them. */
export async function stored(ledger: Ledger): Promise<readonly string[]> {
  return (await ledger.intents({})).map(({ id, state }) => `${state} ${id}`);
}
