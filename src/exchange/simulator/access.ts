/** Who may do what: signatures over the raw bytes, the clock window, key permissions and the request limits. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Refusal } from "./refusal.js";
import type { Account } from "./world.js";

export type Headers = Readonly<Record<string, string | undefined>>;

export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly rawBody: string;
  /** Names in lower case. */
  readonly headers: Headers;
  readonly ip: string;
}

export const sign = (secret: string, text: string): string => createHmac("sha256", secret).update(text).digest("hex");

/** Docs/v5/guide: timestamp + key + window + raw query (GET) or raw body (POST). */
export function signatureText(key: string, timestamp: string, recvWindow: string, payload: string): string {
  return `${timestamp}${key}${recvWindow}${payload}`;
}

/** @throws Refusal 10002, 10003, 10004, 10005, 10010 */
export function authorise(accounts: Iterable<Account>, request: SignedRequest, nowMs: number): Account {
  const { headers } = request;
  const key = headers["x-bapi-api-key"] ?? "";
  const account = [...accounts].find((candidate) => candidate.key === key);
  if (account === undefined) throw new Refusal(10003, "API key is invalid.");
  const timestamp = headers["x-bapi-timestamp"] ?? "";
  const recvWindow = headers["x-bapi-recv-window"] ?? "";
  checkClock(timestamp, recvWindow, nowMs);
  const payload = request.method === "GET" ? request.rawQuery : request.rawBody;
  const expected = sign(account.secret, signatureText(key, timestamp, recvWindow, payload));
  if (!sameText(expected, headers["x-bapi-sign"] ?? "")) {
    throw new Refusal(10004, "Error sign, please check your signature generation algorithm.");
  }
  checkAddress(account, request.ip);
  checkPermission(account, request);
  return account;
}

/** serverTime − recvWindow ≤ timestamp < serverTime + 1000 ms. */
function checkClock(timestamp: string, recvWindow: string, nowMs: number): void {
  const sentMs = /^\d+$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  const windowMs = recvWindow === "" ? 5000 : Number(recvWindow);
  if (nowMs - windowMs <= sentMs && sentMs < nowMs + 1000) return;
  throw new Refusal(
    10002,
    "invalid request, please check your server timestamp or recv_window param. " +
      `req_timestamp[${timestamp}],server_timestamp[${nowMs}],recv_window[${windowMs}]`,
  );
}

function checkAddress(account: Account, ip: string): void {
  const plain = ip.replace(/^::ffff:/, "");
  if (account.ips.length === 0 || account.ips.includes("*") || account.ips.includes(plain)) return;
  throw new Refusal(10010, "Unmatched IP, please check your API key's bound IP addresses.");
}

/** Writes need a key that is not read-only and holds the contract right for the route's group. */
function checkPermission(account: Account, { method, path }: SignedRequest): void {
  const group = /^\/v5\/(position|order|execution)\//.exec(path)?.[1];
  if (group === undefined) return;
  const rights = account.permissions["ContractTrade"] ?? [];
  const needed = group === "position" ? "Position" : "Order";
  const allowed = method === "GET" ? rights.length > 0 : !account.readOnly && rights.includes(needed);
  if (!allowed) throw new Refusal(10005, "Permission denied, please check your API key permissions.");
}

export function sameText(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}
