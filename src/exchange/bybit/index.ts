/** Connects one account to Bybit: a Reader for everyone, a Writer only for those who ask for it. */
import type { Instrument } from "../../domain/instrument.js";
import type { Category } from "../../domain/position.js";
import type { Contract } from "../../domain/snapshot.js";
import type { FillHistory } from "../fills.js";
import type { Reader, Writer } from "../port.js";
import type { OrderLists } from "./book.js";
import { createAccountBudget, createIpBudget, type IpBudget, type SteadyClock } from "./budget.js";
import { createCatalogue } from "./catalogue.js";
import { type Client, createClient, type Log } from "./client.js";
import { createFillHistory } from "./fill-history.js";
import { createReader } from "./reader.js";
import { type Credentials, createTransport, type OpenLines } from "./transport.js";
import { createWriter } from "./writer.js";

export { createIpBudget, type IpBudget } from "./budget.js";
export type { LogEvent } from "./client.js";
export { connectBybitStream, type StreamConnection } from "./stream.js";
export { type Connection, type ConnectionEvents, type ConnectionOptions, startWatch } from "./stream-connection.js";
export type { StreamTiming, Timers } from "./stream-timing.js";
export type { Credentials, Line, Lines, OpenLines, Outgoing } from "./transport.js";

export interface BybitConnection {
  readonly account: string;
  readonly environment: "mainnet" | "testnet" | "demo" | "custom";
  /** As bybit-api's apiRegion. */
  readonly region: string;
  /** For `custom` only, and required there. */
  readonly restUrl?: string;
  readonly key: string;
  readonly secret: string;
  readonly categories: readonly Category[];
  readonly budget: {
    /** Above zero; the exchange allows ten per second and account. */
    readonly writesPerSecond: number;
    /** Our part of the address's 600 requests per 5 seconds: above 0, at most 1. Without effect where `ipBudget` is given. */
    readonly ipShare: number;
  };
  /** Shared among the accounts of one process; absent: an own one. */
  readonly ipBudget?: IpBudget;
  readonly clock: SteadyClock;
  /** Never sees a secret. */
  readonly log?: Log;
  /** Short lines for a person who waits. */
  readonly progress?: (text: string) => void;
  /** `all`: whole reads show every open order, for those who attach exits to entries; default `of-positions`. */
  readonly orderLists?: OrderLists;
  /** Longest silence on the wire, default 5000; a whole request may take twice as long. */
  readonly timeoutMs?: number;
  /** What requests go out on; absent: the SDK, on real sockets. */
  readonly openLines?: OpenLines;
}

export interface BybitSession {
  readonly reader: Reader;
  /** What the account's fills tell of its positions' lives; slower than the reader, in the same budget. */
  readonly fills: FillHistory;
  /** Only those who may write call this. */
  writer(): Writer;
  /** Contracts are asked for anew at the next read: a tick may have changed. */
  refreshInstruments(): void;
  /** A contract as it was last read, without asking; null: not known, or not for the last hour. */
  knownInstrument(contract: Contract): Instrument | null;
  /** Milliseconds since the exchange last answered anything at all, also an error; infinite before the first answer. */
  silentForMs(): number;
  /** For how long requests have stayed without an answer of its own, milliseconds; infinite while it has shut us out. */
  unansweredForMs(): number;
  /** What our wall clock lacks to be the exchange's, by the answers so far; zero before the first. */
  clockOffsetMs(): number;
  /** The exchange's time, whatever our wall clock says; null before its first answer, and after a sleep until the next. */
  exchangeNowMs(): number | null;
  /** Requests that leave from now on, further tries included, are signed with this key. */
  renewKey(credentials: Credentials): void;
  /** Rejects what is queued with cause `closed`, waits for writes in flight. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;

/** Everything but writing: there is no writer, and the transport lets nothing but GET out. */
export type BybitReadSession = Omit<BybitSession, "writer">;

export function connectBybitReadOnly(options: BybitConnection): BybitReadSession {
  return open(options, true).session;
}

export function connectBybit(options: BybitConnection): BybitSession {
  const { session, client } = open(options, false);
  return { ...session, writer: () => createWriter(options.account, client) };
}

function open(options: BybitConnection, readOnly: boolean): { session: BybitReadSession; client: Client } {
  const { account, clock, key, secret } = options;
  if (process.env["BYBITTRACE"]) {
    throw new Error("BYBITTRACE is set: it makes bybit-api print signed requests. Unset it and start again.");
  }
  const ip = (options.ipBudget ?? createIpBudget(options.budget.ipShare)).gate(clock);
  const budget = createAccountBudget(options.budget.writesPerSecond, ip, clock);
  const { environment, region, restUrl, timeoutMs = TIMEOUT_MS } = options;
  const url = restUrl === undefined ? {} : { restUrl };
  const transport = createTransport(
    { environment, region, ...url, key, secret, timeoutMs, readOnly },
    options.openLines,
  );
  const log = options.log ?? (() => undefined);
  const secrets = new Set([secret, key]);
  const client = createClient({ transport, budget, clock, secrets: () => [...secrets], ip, log, timeoutMs });
  const catalogue = createCatalogue(client, clock);
  const progress = options.progress ?? (() => undefined);
  const { categories, orderLists = "of-positions" } = options;
  const session: BybitReadSession = {
    reader: createReader({ account, categories, client, catalogue, clock, progress, orderLists }),
    fills: createFillHistory({ account, client, clock }),
    knownInstrument: (contract) => catalogue.known(contract),
    refreshInstruments: () => catalogue.refresh(),
    silentForMs: () => client.silentForMs(),
    unansweredForMs: () => client.unansweredForMs(),
    exchangeNowMs: () => client.exchangeNowMs(),
    clockOffsetMs: () => 0 - (client.skewMs() ?? 0),
    renewKey: (credentials) => {
      secrets.add(credentials.secret).add(credentials.key);
      transport.renewKey(credentials);
    },
    close: async () => {
      budget.close();
      await transport.close();
    },
  };
  return { session, client };
}
