/** One account of the sidecar: its connections, and the parts of its guard. */
import { randomBytes } from "node:crypto";
import { attachThrough } from "../../apply/attach.js";
import {
  type BybitConnection,
  connectBybitStream,
  type IpBudget,
  type StreamConnection,
} from "../../exchange/bybit/index.js";
import type { Contract } from "../../domain/snapshot.js";
import type { FillHistory } from "../../exchange/fills.js";
import { isForNext } from "../../intents/set-for.js";
import type { Shelf } from "../../intents/shelf.js";
import type { Pauses } from "../../ledger/pauses.js";
import { readOnlyReason } from "../../ledger/readonly.js";
import { createWakefulClock, type Log, systemClock, systemRandom, type WakefulClock } from "../../runtime/index.js";
import type { AccountSettings, Settings } from "../../settings/index.js";
import type { LeftAlone } from "../../sidecar/attach-memory.js";
import type { Tell } from "../../sidecar/event.js";
import type { GuardParts, OrderIntents } from "../../sidecar/parts.js";
import { copyTradingFreeze, type FirstReading, firstReading, type KeyReading } from "../accounts.js";
import { type Connected, connectOne, streamAddressOf } from "../connect.js";
import { refuseStrongKey } from "../key-rights.js";
import { type Books, heldWithoutLedger } from "../books/books.js";
import { type KeyWatch, watchKey } from "./key.js";
import { recogniseLives } from "../books/recognise.js";
import { openLeftAlone } from "../books/left-alone.js";
import { keepIntents } from "./upkeep.js";
import { type Stillness, watchStillness } from "./stillness.js";
import { type StandbyBooks, standbyBooks } from "../books/standby.js";
import { takeTurn, type WriterTurn } from "../books/writer.js";

/** Servers let go of a connection that has been silent for a minute or less; whatever is asked keeps it. */
const WARM_AFTER_MS = 15_000;
const WARM_EVERY_MS = 5_000;

export interface Opened {
  readonly account: AccountSettings;
  readonly guard: GuardParts;
  readonly fills: FillHistory;
  /** What is known of its key. */
  keyReading(): KeyReading;
  /** False: another process writes for the account. */
  isWriter(): boolean;
  /** `guardEnded`: nothing of it is remembered any more; default: by now. */
  close(guardEnded?: Promise<void>): Promise<void>;
}

/** Changes when the config is read anew. */
export interface Current {
  settings: Settings;
  policyOf: GuardParts["pass"]["policyOf"];
}

/** What all accounts of the process share. */
export interface Shared {
  readonly current: Current;
  readonly pauses: Pauses;
  readonly log: Log;
  readonly ipBudget: IpBudget;
  readonly books: Books;
  readonly isDryRun: boolean;
  readonly tell: Tell;
  /** Something has come in that calls for a look at a contract, or, with null, at everything. */
  readonly onNews: (account: string, contract: Contract | null) => void;
  /** What reaches the exchange; absent: the SDK, on real sockets. */
  readonly wires?: Pick<BybitConnection, "openLines"> & Pick<StreamConnection, "connect">;
}

/** What becomes of an account whose key may do more than it should: no start, or watched without a write. */
export type StrongKey = "refused" | "watched";

/** @throws StartRefused for a key that may do more than it should, where that is not watched */
export async function openAccount(account: AccountSettings, shared: Shared, strongKey: StrongKey): Promise<Opened> {
  const { current, log, ipBudget, isDryRun, wires } = shared;
  const access = isDryRun ? "read" : "write";
  const lines = wires?.openLines === undefined ? {} : { openLines: wires.openLines };
  const more = { ipBudget, orderLists: "all", ...lines } as const;
  const connected = connectOne(account, { settings: current.settings, log }, access, more);
  try {
    const reading = await firstReading(connected);
    if (strongKey === "refused") refuseStrongKey(connected, reading.first, log);
    const turn = await takeTurn(account.name, shared.books, log);
    const standby = standbyBooks(account.name, shared.books, turn);
    await standby.refresh();
    const { ledger } = shared.books;
    const { reader, fills } = connected.session;
    if (ledger !== null) await recogniseLives({ reader, fills, memory: ledger.memory, shelf: ledger.shelf });
    const leftAlone = await openLeftAlone(account.name, shared.books);
    return opened(connected, { reading, turn, standby, leftAlone }, shared);
  } catch (error) {
    await connected.session.close();
    throw error;
  }
}

interface Known {
  readonly reading: FirstReading;
  readonly turn: WriterTurn;
  readonly standby: StandbyBooks;
  readonly leftAlone: LeftAlone;
}

function opened(connected: Connected, { reading, turn, standby, leftAlone }: Known, shared: Shared): Opened {
  const { account, session } = connected;
  const key = watchKey(connected, reading, shared.log);
  // A stop that is due must not wait for a handshake; what fails here is told by whatever needs it next.
  const onIntent = (contract: Contract) => shared.onNews(account.name, contract);
  const intents = keepIntents(account.name, { books: shared.books, standby }, onIntent);
  turn.onTurn(() => shared.onNews(account.name, null));
  const clock = createWakefulClock();
  // A position may have closed and opened anew meanwhile, which only its fills can tell.
  const stillness = watchStillness(clock, () => {
    shared.books.ledger?.memory.doubt(account.name);
    shared.onNews(account.name, null);
  });
  const warm = setInterval(() => {
    if (session.silentForMs() >= WARM_AFTER_MS) void session.reader.clockSkewMs().catch(() => undefined);
  }, WARM_EVERY_MS);
  return {
    account,
    fills: session.fills,
    keyReading: () => key.reading(),
    isWriter: () => turn.frozen() === null,
    guard: guardParts(connected, { key, turn, standby, leftAlone, clock, stillness }, shared),
    close: async (guardEnded) => {
      clearInterval(warm);
      stillness.close();
      intents.close();
      key.close();
      // Another process takes over as soon as the turn is given up: by then nothing of ours may be on the wire.
      await session.close();
      // And what was answered last must be known to it.
      await guardEnded;
      await turn.close();
    },
  };
}

interface Watched extends Pick<Known, "turn" | "standby" | "leftAlone"> {
  readonly key: KeyWatch;
  readonly clock: WakefulClock;
  readonly stillness: Stillness;
}

function guardParts({ account, session }: Connected, watched: Watched, shared: Shared): GuardParts {
  const { key, turn, standby, leftAlone, clock, stillness } = watched;
  const { current, pauses, log, books, tell, wires } = shared;
  return {
    name: account.name,
    pass: {
      reader: session.reader,
      ...(session.writer === undefined ? {} : { writer: session.writer() }),
      policyOf: (position, side) => current.policyOf(position, side),
      memory: {
        recall: (position) => {
          stillness.look();
          return standby.memory.recall(position);
        },
        remember: (position, change) => standby.memory.remember(position, change),
        openContracts: (name) => standby.memory.openContracts(name),
      },
      journal: books.journal,
      heldStep: (step) => heldWithoutLedger(books.trouble() ?? books.journal.unwritten(step), step),
      clock,
      writesPerSecond: current.settings.budget.writesPerSecond,
      refreshInstruments: () => session.refreshInstruments(),
      newOrderLinkId: () => `backstop-${randomBytes(9).toString("hex")}`,
      frozen: (picture) =>
        readOnlyReason(current.settings.stateDir, process.env) ??
        turn.frozen() ??
        key.frozen() ??
        copyTradingFreeze(account, picture.snapshot.copyTradingMaster),
    },
    ...(books.ledger === null ? {} : { orderIntents: orderIntents(account.name, books.ledger.shelf) }),
    random: systemRandom,
    silentForMs: () => session.silentForMs(),
    unansweredForMs: () => session.unansweredForMs(),
    exchangeNowMs: () => session.exchangeNowMs(),
    instrumentOf: (contract) => session.knownInstrument(contract),
    paused: ({ account: name, symbol }) => pauses.reasonFor({ account: name, symbol }, systemClock.now()),
    openStream: (listener) =>
      connectBybitStream(
        {
          ...streamAddressOf(account),
          clock: systemClock,
          offsetMs: () => session.clockOffsetMs(),
          log: ({ level, message, ...facts }) => log[level]({ account: account.name, ...facts }, message),
          ...(wires?.connect === undefined ? {} : { connect: wires.connect }),
        },
        listener,
      ),
    timers: {
      after: (ms, callback) => {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
    },
    tell,
    ...(session.writer === undefined
      ? {}
      : { attach: attachParts(session.writer(), session, { current, books, leftAlone }) }),
  };
}

function orderIntents(account: string, shelf: Shelf): OrderIntents {
  return {
    filled: (link, atMs) => shelf.filled(account, link, atMs),
    resting: (links) => shelf.resting(account, links),
    isAwaited: (position) => shelf.isAwaited(position),
    waitsFor: (key, side, link) =>
      shelf.at(key).some((intent) => {
        const isForIt = intent.orderLinkId === link && intent.state === "pending" && intent.side === side;
        return isForIt || isForNext(intent, side, systemClock.now());
      }),
  };
}

function attachParts(
  writer: Parameters<typeof attachThrough>[0],
  session: Connected["session"],
  { current, books, leftAlone }: Pick<Shared, "current" | "books"> & Pick<Known, "leftAlone">,
): NonNullable<GuardParts["attach"]> {
  const send = attachThrough(writer);
  return {
    send: async (step, veto) => {
      await books.attaching.intended(step);
      return send(step, () => books.attaching.unwritten(step) ?? veto());
    },
    exchangeNow: () => systemClock.now() + session.clockOffsetMs(),
    leftAlone,
    isWanted: () => {
      const { defaults, rules } = current.settings.policy;
      if (books.trouble() !== null) return false;
      return defaults.attachToOrders || rules.some(({ overrides }) => overrides.attachToOrders === true);
    },
  };
}
