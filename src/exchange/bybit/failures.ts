/** Turns the exchange's codes and words, HTTP statuses and network errors into kinds and causes of failure. */
import type { Side } from "../../domain/position.js";
import { scrubSecrets } from "../../runtime/secrets.js";
import type { FailureCause, FailureFacts, FailureKind } from "../failure.js";

type Verdict = readonly [FailureKind, FailureCause];

const RET_MSG_LENGTH = 200;

/** docs/v5/error; codes alone decide wherever they can, because the words change over time. */
const BY_CODE = new Map<number, Verdict>([
  ...codes(["unknown", "not-modified"], 34040, 110025, 110026, 110027, 110043),
  ...codes(["unknown", "server"], 10000, 10016, 10019, 10429, 429, 110079, 40004, 3400214),
  ...codes(["not-happened", "rate-limit"], 10006),
  ...codes(["unknown", "rate-limit"], 10018, 10403),
  ...codes(["not-happened", "clock"], 10002),
  ...codes(["unknown", "clock"], -1),
  ...codes(["refused", "key"], 10003, 10004, 10007, 10010, 33004, -2015),
  ...codes(["refused", "permission"], 10005, 10008, 10009, 10024, 10027, 10028, 100028),
  ...codes(["refused", "terms"], 110066, 110068, 110069, 110080, 110088, 110104, 110105, 110106, 110107),
  // docs/v5/error: 10029 is about the symbols that are open to this account, not about the request.
  ...codes(["refused", "terms"], 110123, 110124, 110125, 110132, 10029),
  ...codes(["refused", "gone"], 110001, 110008, 110010),
  ...codes(["refused", "zero-position"], 110033, 110034),
  ...codes(["refused", "limit"], 110009, 110020, 110049, 110054, 110055, 110056, 110057, 110058, 110059, 110060),
  ...codes(["refused", "limit"], 110061, 110064, 110094),
  ...codes(["refused", "market-state"], 110005, 110023, 110035, 110042, 110063, 110074, 110095, 110096, 110097),
  ...codes(["refused", "market-state"], 110098, 110099, 110100, 110103, 110137, 30228),
  // A doubled request or orderLinkId: the first of the two may stand.
  ...codes(["unknown", "other"], 10014, 110072),
]);

interface Wording {
  readonly retCode: number;
  readonly words: RegExp;
  readonly verdict: Verdict;
}

/** Codes that stand for many things; the first wording that fits decides. */
const BY_WORDS: readonly Wording[] = [
  { retCode: 10001, words: /zero position/i, verdict: ["refused", "zero-position"] },
  // Outside its liquidation price: a limit on where a stop may lie, not a price that was passed.
  { retCode: 10001, words: /between liq_price/i, verdict: ["refused", "limit"] },
  { retCode: 10001, words: /\b(partial)?(stoploss|sl):.* position should/i, verdict: ["refused", "stop-loss-past"] },
  {
    retCode: 10001,
    words: /\b(partial)?(takeprofit|tp):.* position should/i,
    verdict: ["refused", "take-profit-past"],
  },
  { retCode: 10001, words: /position idx not match position mode/i, verdict: ["refused", "mode-mismatch"] },
  { retCode: 10001, words: /not modified/i, verdict: ["unknown", "not-modified"] },
  { retCode: 110017, words: /position is zero/i, verdict: ["refused", "zero-position"] },
];

/** The exchange answered with its envelope and a code other than 0. */
export function verdictOfCode(retCode: number, retMsg: string): Verdict {
  return documentedVerdict(retCode, retMsg) ?? ["unknown", "other"];
}

function documentedVerdict(retCode: number, retMsg: string): Verdict | undefined {
  const wording = BY_WORDS.find((each) => each.retCode === retCode && each.words.test(retMsg));
  const listed = wording?.verdict ?? BY_CODE.get(retCode);
  const isRequestRefusal = retCode === 10001 || retCode === 10017 || retCode === 10032;
  const isOrderRefusal = retCode >= 110_000 && retCode <= 110_999;
  return listed ?? (isRequestRefusal || isOrderRefusal ? ["refused", "other"] : undefined);
}

/**
 * Business errors come with 200 as a rule (docs/v5/guide); where a refusal comes with its code all the same, that says
 * more than its HTTP status. A server that fails may have done anything, and a ban of the address is none of the code's.
 */
export function verdictOfCodeIn(httpStatus: number, retCode: number, retMsg: string): Verdict | undefined {
  if (httpStatus >= 500 || retCode === 10018 || retCode === 10403) return undefined;
  return documentedVerdict(retCode, retMsg);
}

/**
 * docs/v5/error: the trigger price is one that the price has reached already, and so has to rise to (110092) or to fall
 * to (110093). A long position's stop waits for a fall, its take-profit for a rise.
 */
export function passedTrigger(retCode: number | undefined, side: Side): FailureCause | null {
  if (retCode !== 110_092 && retCode !== 110_093) return null;
  return (retCode === 110_093) === (side === "long") ? "stop-loss-past" : "take-profit-past";
}

/** HTTP answered with something other than 200; `body` is whatever came with it. */
export function verdictOfStatus(httpStatus: number, body: unknown): Verdict {
  if (httpStatus === 401) return ["refused", "key"];
  if (httpStatus === 403) return saysRegionIsBlocked(body) ? ["refused", "permission"] : ["not-happened", "ip-ban"];
  if (httpStatus === 429 || httpStatus >= 500) return ["unknown", "server"];
  return ["unknown", "garbage"];
}

function saysRegionIsBlocked(body: unknown): boolean {
  return typeof body === "string" && /country|region|jurisdiction/i.test(body.slice(0, 4_000));
}

/** Errors raised before a byte of the request could leave. */
const NEVER_CONNECTED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EHOSTUNREACH", "ENETUNREACH"]);
/** The certificate alone: `ERR_SSL_…` also comes of what breaks into a connection after the request was delivered. */
const NEVER_TRUSTED = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;
const TIMED_OUT = new Set(["ECONNABORTED", "ETIMEDOUT", "ESOCKETTIMEDOUT", "ERR_CANCELED"]);

/** The request failed below HTTP; only codes and system calls are looked at, never the error itself. */
export function verdictOfNetwork(error: unknown): Verdict {
  const code = textOf(error, "code");
  const systemCall = textOf(error, "syscall") ?? textOf(valueOf(error, "cause"), "syscall");
  const wasConnected = systemCall === "read" || systemCall === "write";
  if (code === undefined) return ["unknown", "network"];
  if (NEVER_CONNECTED.has(code) && !wasConnected) return ["not-happened", "network"];
  if (NEVER_TRUSTED.test(code)) return ["not-happened", "network"];
  if (code === "ETIMEDOUT" && systemCall === "connect") return ["not-happened", "network"];
  if (TIMED_OUT.has(code)) return ["unknown", "timeout"];
  return ["unknown", code === "ERR_BAD_RESPONSE" ? "garbage" : "network"];
}

/** A read has no effect that could be in doubt: trying it again is always allowed. */
export function forRead(kind: FailureKind): FailureKind {
  return kind === "unknown" ? "not-happened" : kind;
}

/** The whole account is closed to us, not just this request. */
export function closesAccount(facts: FailureFacts): boolean {
  return facts.cause === "key" || facts.cause === "closed";
}

const PASSING: ReadonlySet<FailureCause> = new Set(["network", "timeout", "server", "garbage", "rate-limit"]);

/** Worth another try of the same request, after a pause, where its kind allows one. */
export function isPassing(facts: FailureFacts): boolean {
  return PASSING.has(facts.cause);
}

/** Both clocks as the exchange's refusal states them; null where it does not. */
export function clocksIn(retMsg: string): { readonly requestMs: number; readonly serverMs: number } | null {
  const request = /req_timestamp\[(\d{13})\]/.exec(retMsg)?.[1];
  const server = /server_timestamp\[(\d{13})\]/.exec(retMsg)?.[1];
  return request === undefined || server === undefined
    ? null
    : { requestMs: Number(request), serverMs: Number(server) };
}

/** What our signatures look like: HMAC-SHA256 in hex. Ids of the exchange are shorter. */
const SIGNATURE = /[0-9a-f]{64}/gi;

const REMOVED = "***";

/**
 * Removes credentials in every spelling and signatures, then everything unprintable, then what is too long: of a half
 * credential nobody could tell that it is one.
 */
export function cleanWords(text: string, secrets: readonly string[]): string {
  const spelled = scrubSecrets(text, secrets, REMOVED);
  const scrubbed = secrets.reduce((rest, secret) => (secret === "" ? rest : rest.replaceAll(secret, REMOVED)), spelled);
  return scrubbed
    .replaceAll(SIGNATURE, REMOVED)
    .replaceAll(/\p{C}+/gu, " ")
    .trim()
    .slice(0, RET_MSG_LENGTH);
}

export function valueOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown, name: string): string | undefined {
  const found = valueOf(value, name);
  return typeof found === "string" ? found : undefined;
}

function codes(verdict: Verdict, ...retCodes: readonly number[]): readonly (readonly [number, Verdict])[] {
  return retCodes.map((retCode) => [retCode, verdict] as const);
}
