/** The simulated exchange as a model: accounts, prices, requests and control verbs; no sockets and no timers. */
import { dec } from "../../domain/decimal.js";
import type { SignedRequest } from "./access.js";
import { RUNNERS } from "./control.js";
import { type ControlInput, type ControlVerb, SCHEMAS } from "./control-schemas.js";
import {
  type ExtraInstrument,
  type SimInstrument,
  completeInstrument,
  defaultInstruments,
  syntheticInstruments,
} from "./instruments.js";
import { seededRandom } from "./random.js";
import { createRateLimits } from "./rate-limits.js";
import { ControlError } from "./refusal.js";
import { type Reply, handleRequest } from "./rest.js";
import { type ExchangeSnapshot, snapshotOf } from "./snapshot.js";
import {
  type Account,
  type MarginModeName,
  type PositionMode,
  type Push,
  type RowMutation,
  type World,
  instrumentKey,
  isOpen,
} from "./world.js";

export interface AccountOptions {
  readonly name: string;
  readonly key: string;
  readonly secret: string;
  /** Default: orders and positions of contracts, no transfer and no withdrawal. */
  readonly permissions?: Readonly<Record<string, readonly string[]>>;
  readonly readOnly?: boolean;
  readonly ips?: readonly string[];
  readonly marginMode?: MarginModeName;
  readonly positionMode?: PositionMode;
  readonly isMasterTrader?: boolean;
  /** By coin; default 100000 USDT and USDC, 10 BTC, 100 ETH. */
  readonly balances?: Readonly<Record<string, string>>;
}

export interface ModelOptions {
  readonly now: () => number;
  readonly seed: number;
  readonly accounts: readonly AccountOptions[];
  /** False: no request is ever refused for its rate. */
  readonly rateLimits?: boolean;
  readonly instruments?: readonly ExtraInstrument[];
  /** This many made-up contracts more, SYN0000USDT and on. */
  readonly syntheticInstruments?: number;
  readonly lags?: { readonly fillToPositionMs?: number; readonly stopToVisibleMs?: number };
}

/** One `/v5` request as it came in, for tests. */
export interface RecordedRequest {
  readonly atMs: number;
  /** Null: the key is unknown, or there is none. */
  readonly account: string | null;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Null for GET. */
  readonly body: unknown;
  /** Null: the answer carried none (HTML, hang, reset, garbage). */
  readonly retCode: number | null;
}

type Verbs = { readonly [V in ControlVerb]: (input: ControlInput<V>) => object };

/** In-process control: each verb is also `POST /_control/<verb>` with the same JSON. */
export interface SimulatedExchange extends Verbs {
  clearFaults(): void;
  /** Ends private streams, of one account or all. */
  dropStreams(account?: string): void;
  snapshot(): ExchangeSnapshot;
  /** Rewrites rows on their way out, to inject what the real exchange may send one day; null ends it. */
  mutateRow(mutation: RowMutation | null): void;
  /** Runs a verb by name on JSON. @throws ControlError */
  control(verb: string, input: unknown): object;
  handle(request: SignedRequest): Reply;
  readonly requests: readonly RecordedRequest[];
  onPush(listener: (push: Push) => void): void;
  onDropStreams(listener: (account: string | null) => void): void;
  /** Lets everything happen whose time has come; needed only when no request comes by. */
  settle(): void;
  /** When something deferred is due next; null: nothing is. */
  nextDueAtMs(): number | null;
  /** For the stream's own access checks and faults. */
  readonly world: World;
}

const MOST_RECORDED = 20_000;
const MOST_ORDERS = 5_000;
const DEFAULT_RIGHTS = { ContractTrade: ["Order", "Position"], Wallet: [], Exchange: [] };

export function createExchange(options: ModelOptions): SimulatedExchange {
  const world = createWorld(options);
  const limits = createRateLimits(options.rateLimits ?? true);
  const requests: RecordedRequest[] = [];
  const pushListeners: ((push: Push) => void)[] = [];
  const dropListeners: ((account: string | null) => void)[] = [];
  const flush = (): void => {
    for (const push of world.outbox.splice(0)) for (const listener of pushListeners) listener(push);
    for (const account of world.accounts.values()) forgetOldest(account);
  };
  const settle = (): void => {
    const due = world.deferred.filter(({ atMs }) => atMs <= world.now());
    for (const task of due) world.deferred.splice(world.deferred.indexOf(task), 1);
    for (const task of due) task.run();
    flush();
  };
  const runVerb = (verb: ControlVerb, input: unknown): object => {
    settle();
    const result = applyVerb(world, verb, input);
    flush();
    return result;
  };
  const clearFaults = (): void => {
    world.faults.length = 0;
    limits.forget();
  };
  const dropStreams = (account?: string): void => {
    for (const listener of dropListeners) listener(account ?? null);
  };
  const names = Object.keys(SCHEMAS) as ControlVerb[];
  const verbs = Object.fromEntries(names.map((verb) => [verb, (input: unknown) => runVerb(verb, input)]));
  return {
    ...(verbs as unknown as Verbs),
    world,
    requests,
    settle,
    clearFaults,
    dropStreams,
    snapshot: () => {
      settle();
      return snapshotOf(world);
    },
    mutateRow: (mutation) => {
      world.mutation = mutation;
    },
    control(verb, input) {
      if (verb === "snapshot") return snapshotOf(world);
      if (verb === "clearFaults") clearFaults();
      if (verb === "dropStreams") dropStreams((input as { account?: string }).account);
      if (verb === "clearFaults" || verb === "dropStreams") return {};
      const known = names.find((name) => name === verb);
      if (known === undefined) throw new ControlError(`no verb "${verb}"; known: ${names.join(", ")}`);
      return runVerb(known, input);
    },
    handle(request) {
      settle();
      const { reply, account, retCode, body } = handleRequest(world, limits, request);
      const { method, path } = request;
      const query = Object.fromEntries(new URLSearchParams(request.rawQuery));
      requests.push({ atMs: world.now(), account, method, path, query, body, retCode });
      if (requests.length > MOST_RECORDED) requests.shift();
      flush();
      return reply;
    },
    onPush: (listener) => pushListeners.push(listener),
    onDropStreams: (listener) => dropListeners.push(listener),
    nextDueAtMs: () => world.deferred.reduce<number | null>((first, { atMs }) => Math.min(first ?? atMs, atMs), null),
  };
}

function applyVerb(world: World, verb: ControlVerb, input: unknown): object {
  const parsed = SCHEMAS[verb].safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ControlError(`${verb}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? "invalid"}`);
  }
  const run = RUNNERS[verb] as (world: World, input: unknown) => object;
  return run(world, parsed.data);
}

function createWorld(options: ModelOptions): World {
  const instruments = [
    ...defaultInstruments(options.now()),
    ...syntheticInstruments(options.syntheticInstruments ?? 0),
    ...(options.instruments ?? []).map(completeInstrument),
  ];
  const keyed = (one: SimInstrument): [string, SimInstrument] => [instrumentKey(one.category, one.symbol), one];
  return {
    now: options.now,
    random: seededRandom(options.seed),
    lags: {
      fillToPositionMs: options.lags?.fillToPositionMs ?? 0,
      stopToVisibleMs: options.lags?.stopToVisibleMs ?? 0,
    },
    instruments: new Map(instruments.map(keyed)),
    prices: new Map(),
    liquidity: new Map(),
    accounts: new Map(options.accounts.map((account, index) => [account.name, createAccount(account, index)])),
    faults: [],
    outbox: [],
    deferred: [],
    mutation: null,
    rank: 0,
    seq: 8_000_000_000,
    moves: 0,
  };
}

function createAccount(options: AccountOptions, index: number): Account {
  const balances = options.balances ?? { USDT: "100000", USDC: "100000", BTC: "10", ETH: "100" };
  return {
    name: options.name,
    key: options.key,
    secret: options.secret,
    permissions: options.permissions ?? DEFAULT_RIGHTS,
    readOnly: options.readOnly ?? false,
    ips: options.ips ?? [],
    marginMode: options.marginMode ?? "ISOLATED_MARGIN",
    isMasterTrader: options.isMasterTrader ?? false,
    dcp: false,
    positionMode: options.positionMode ?? "one-way",
    optionPositions: 0,
    statesOpenTime: true,
    fillsKeptMs: null,
    uid: 10_000_001 + index,
    modes: new Map(),
    legs: new Map(),
    orders: [],
    executions: [],
    closedPnl: [],
    balances: new Map(Object.entries(balances).map(([coin, amount]) => [coin, dec(amount)])),
    realised: new Map(),
  };
}

/** History is kept for a long session, not for ever; open orders always stay. */
function forgetOldest(account: Account): void {
  if (account.executions.length > MOST_ORDERS) account.executions.splice(0, MOST_ORDERS / 2);
  if (account.closedPnl.length > MOST_ORDERS) account.closedPnl.splice(0, MOST_ORDERS / 2);
  if (account.orders.length <= MOST_ORDERS) return;
  const closed = account.orders.filter((order) => !isOpen(order)).slice(0, MOST_ORDERS / 2);
  const gone = new Set(closed);
  const kept = account.orders.filter((order) => !gone.has(order));
  account.orders.splice(0, account.orders.length, ...kept);
}
