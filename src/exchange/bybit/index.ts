/** Connects one account to Bybit: a Reader for everyone, a Writer only for those who ask for it. */
import type { Category } from "../../domain/position.js";
import type { Reader, Writer } from "../port.js";
import { type Clock, createAccountBudget, createIpBudget, type IpBudget } from "./budget.js";
import { createCatalogue } from "./catalogue.js";
import { createClient, type Log } from "./client.js";
import { createReader } from "./reader.js";
import { createTransport } from "./transport.js";
import { createWriter } from "./writer.js";

export { createIpBudget, type IpBudget } from "./budget.js";
export type { LogEvent } from "./client.js";

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
  readonly clock: Clock;
  /** Never sees a secret. */
  readonly log?: Log;
  /** Short lines for a person who waits. */
  readonly progress?: (text: string) => void;
  /** Longest silence on the wire, default 5000; a whole request may take twice as long. */
  readonly timeoutMs?: number;
}

export interface BybitSession {
  readonly reader: Reader;
  /** Only those who may write call this. */
  writer(): Writer;
  /** Contracts are asked for anew at the next read: a tick may have changed. */
  refreshInstruments(): void;
  /** Rejects what is queued with cause `closed`, waits for what is in flight. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;

export function connectBybit(options: BybitConnection): BybitSession {
  const { account, clock, key, secret } = options;
  if (process.env["BYBITTRACE"]) {
    throw new Error("BYBITTRACE is set: it makes bybit-api print signed requests. Unset it and start again.");
  }
  const ip = (options.ipBudget ?? createIpBudget(options.budget.ipShare)).gate(clock);
  const budget = createAccountBudget(options.budget.writesPerSecond, ip, clock);
  const transport = createTransport({
    environment: options.environment,
    region: options.region,
    ...(options.restUrl === undefined ? {} : { restUrl: options.restUrl }),
    key,
    secret,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
  });
  const log = options.log ?? (() => undefined);
  const client = createClient({ transport, budget, clock, secrets: [secret, key], ip, log });
  const catalogue = createCatalogue(client, clock);
  const progress = options.progress ?? (() => undefined);
  return {
    reader: createReader({ account, categories: options.categories, client, catalogue, clock, progress }),
    writer: () => createWriter(account, client),
    refreshInstruments: () => catalogue.refresh(),
    close: async () => {
      budget.close();
      await transport.close();
    },
  };
}
