/** The probe's own line to a test exchange: answers and refusals as they come, because they are what it asks about. */
import { z } from "zod";
import type { Decimal } from "../../domain/decimal.js";
import { parseDecimal } from "../../domain/decimal.js";
import { createAccountBudget, createIpBudget, type LimitClass } from "../../exchange/bybit/budget.js";
import { type Client, createClient } from "../../exchange/bybit/client.js";
import { createTransport } from "../../exchange/bybit/transport.js";
import { ExchangeFailure, type FailureCause } from "../../exchange/failure.js";
import { type Log, systemClock } from "../../runtime/index.js";

export type Params = Readonly<Record<string, string | number | boolean>>;

/** A row as the exchange spells it; fields are read by `textIn` and `decimalIn`. */
export type Row = Readonly<Record<string, unknown>>;

export type Reply =
  | { readonly accepted: true; readonly result: Row }
  /** `words`: the code and the exchange's own text. */
  | { readonly accepted: false; readonly cause: FailureCause; readonly retCode: number; readonly words: string };

export interface Wire {
  /** @throws ExchangeFailure where the exchange gave no answer, or none that concerns the question */
  get(path: string, params: Params): Promise<Reply>;
  /** Not sent where `veto` names a reason. @throws ExchangeFailure as `get` */
  post(path: string, params: Params, veto: () => string | null): Promise<Reply>;
  close(): Promise<void>;
}

export interface WireOptions {
  /** From `probeHost`. */
  readonly url: string;
  readonly key: string;
  readonly secret: string;
  readonly writesPerSecond: number;
  readonly log: Log;
}

const IP_SHARE = 0.25;
const TIMEOUT_MS = 5_000;

/** Refusals that say nothing about what was asked. */
const NO_ANSWER: readonly FailureCause[] = ["key", "clock", "rate-limit", "ip-ban", "server", "garbage", "vetoed"];

export function openWire({ url, key, secret, writesPerSecond, log }: WireOptions): Wire {
  const ip = createIpBudget(IP_SHARE).gate(systemClock);
  const budget = createAccountBudget(writesPerSecond, ip, systemClock);
  // Whatever the account's environment is called: the address is the one that was judged.
  const address = { environment: "custom", region: "default", restUrl: url } as const;
  const transport = createTransport({ ...address, key, secret, timeoutMs: TIMEOUT_MS, readOnly: false });
  const client = createClient({
    transport,
    budget,
    clock: systemClock,
    secrets: () => [secret, key],
    timeoutMs: TIMEOUT_MS,
    ip,
    // Refusals are expected here, and no warnings.
    log: ({ level: _level, message, ...facts }) => log.debug(facts, message),
  });
  return {
    get: (path, params) => answered(client.read({ ...request("GET", path, params), limitClass: classOf(path) })),
    post: (path, params, veto) =>
      answered(client.write({ ...request("POST", path, params), limitClass: "write", veto })),
    close: async () => {
      budget.close();
      await transport.close();
    },
  };
}

const anyResult = z.looseObject({});

function request<M extends "GET" | "POST">(method: M, path: string, params: Params) {
  return { method, path, params, schema: anyResult };
}

function classOf(path: string): LimitClass {
  if (path.startsWith("/v5/market/")) return "market";
  if (path.startsWith("/v5/position/")) return "positions";
  return path.startsWith("/v5/order/") ? "orders" : "account";
}

async function answered(asking: ReturnType<Client["read"]>): Promise<Reply> {
  try {
    const { result } = await asking;
    return { accepted: true, result: result as Row };
  } catch (error) {
    if (!(error instanceof ExchangeFailure)) throw error;
    const { retCode, retMsg = "", cause } = error.facts;
    if (retCode === undefined || NO_ANSWER.includes(cause)) throw error;
    return { accepted: false, cause, retCode, words: `${retCode} ${retMsg}`.trim() };
  }
}

export function rowsIn(result: Row): readonly Row[] {
  const list = result["list"];
  return Array.isArray(list) ? list.filter((row): row is Row => typeof row === "object" && row !== null) : [];
}

/** Empty where the field is missing or no text. */
export function textIn(row: Row, field: string): string {
  const value = row[field];
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" ? value : "";
}

/** Null where the exchange states none: a missing, empty or zero value. */
export function decimalIn(row: Row, field: string): Decimal | null {
  const value = parseDecimal(textIn(row, field));
  return value === null || value.isZero() ? null : value;
}

export function childOf(row: Row, field: string): Row {
  const value = row[field];
  return typeof value === "object" && value !== null ? (value as Row) : {};
}
