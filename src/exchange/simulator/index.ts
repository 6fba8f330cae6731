/**
 * A simulated Bybit for tests, demos and other people's bots: real HTTP and WebSocket on loopback, invented money.
 *
 * Simplifications: no fees and no funding; every position liquidates by itself at a price estimated from its leverage;
 * a price move is one jump (market orders fill at its end); the book is endless unless `setLiquidity` says otherwise.
 */
import { randomBytes, randomInt } from "node:crypto";
import { type AccountOptions, type RecordedRequest, type SimulatedExchange, createExchange } from "./exchange.js";
import type { ExtraInstrument } from "./instruments.js";
import { serve } from "./server.js";

export { type SignedRequest, sign, signatureText } from "./access.js";
export type { ControlInput, ControlVerb } from "./control-schemas.js";
export {
  type AccountOptions,
  type ModelOptions,
  type RecordedRequest,
  type SimulatedExchange,
  createExchange,
} from "./exchange.js";
export type { Fault, FaultKind } from "./faults.js";
export type { ExtraInstrument } from "./instruments.js";
export { ControlError } from "./refusal.js";
export type { Reply } from "./rest.js";
export type { AccountSnapshot, ExchangeSnapshot, OrderSnapshot, PositionSnapshot } from "./snapshot.js";
export type { Push, RowContext, RowMutation } from "./world.js";

export interface SimulatorOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. The control interface is unauthenticated: leave it on loopback. */
  readonly host?: string;
  /** Default: one account "main" with a random key. */
  readonly accounts?: readonly AccountOptions[];
  /** Same seed, same spellings, row orders and identifiers. Default: random. */
  readonly seed?: number;
  /** A round trip: a push takes half of it. Default 0. */
  readonly latencyMs?: number;
  /** Default true. */
  readonly rateLimits?: boolean;
  readonly instruments?: readonly ExtraInstrument[];
  /** This many made-up contracts more. */
  readonly syntheticInstruments?: number;
  /** Default none. */
  readonly lags?: { readonly fillToPositionMs?: number; readonly stopToVisibleMs?: number };
  /** The exchange's wall clock, in ms. Delays on the stream run on the process's own timers. */
  readonly now?: () => number;
}

export interface Simulator {
  readonly restUrl: string;
  readonly wsUrl: string;
  readonly controlUrl: string;
  readonly accounts: readonly { readonly name: string; readonly key: string; readonly secret: string }[];
  readonly exchange: SimulatedExchange;
  /** The latest `/v5` requests, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Ends every socket. */
  close(): Promise<void>;
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const accounts = options.accounts ?? [randomAccount("main")];
  const host = options.host ?? "127.0.0.1";
  const exchange = createExchange({
    now: options.now ?? Date.now,
    seed: options.seed ?? randomInt(2 ** 31),
    accounts,
    ...(options.rateLimits === undefined ? {} : { rateLimits: options.rateLimits }),
    ...(options.instruments === undefined ? {} : { instruments: options.instruments }),
    ...(options.syntheticInstruments === undefined ? {} : { syntheticInstruments: options.syntheticInstruments }),
    ...(options.lags === undefined ? {} : { lags: options.lags }),
  });
  const server = await serve(exchange, { host, port: options.port ?? 0, latencyMs: options.latencyMs ?? 0 });
  const origin = `${host.includes(":") ? `[${host}]` : host}:${server.port}`;
  return {
    restUrl: `http://${origin}`,
    wsUrl: `ws://${origin}/v5/private`,
    controlUrl: `http://${origin}/_control`,
    accounts: accounts.map(({ name, key, secret }) => ({ name, key, secret })),
    exchange,
    requests: exchange.requests,
    close: () => server.close(),
  };
}

/** Shaped like real credentials: 18 and 36 characters. */
export function randomAccount(name: string): AccountOptions {
  return { name, key: randomBytes(9).toString("hex"), secret: randomBytes(18).toString("hex") };
}
