/** Lets in only who asked for this server by name: a web page that a browser shows must not reach it by a trick. */
import { isIPv6 } from "node:net";
import type { MiddlewareHandler } from "hono";
import { type Env, sendError } from "./answers.js";

/** Where a request came in. */
export interface Door {
  /** As configured. */
  readonly host: string;
  /** The address and the port that the connection was made to. */
  readonly address: string;
  readonly port: number;
}

const AUTHORITY = /^(?<name>\[[0-9a-f:.]+\]|[^\s:@/\\?#[\]]+)(?::(?<port>\d{1,5}))?$/;
const ALWAYS = ["localhost", "127.0.0.1", "[::1]"];
const EVERY_ADDRESS = ["0.0.0.0", "::"];
const HTTP_PORT = 80;

/**
 * Against DNS rebinding: a foreign name that suddenly resolves to this machine still stands in the Host header, and
 * the page that used it in the Origin.
 */
export function gate(host: string): MiddlewareHandler<Env> {
  return async (ask, next) => {
    const { localAddress = "", localPort = 0 } = ask.env.incoming.socket;
    const door: Door = { host, address: localAddress, port: localPort };
    if (!isOwnAuthority(ask.req.header("host") ?? "", door)) {
      return sendError(ask, 403, "wrong-host", `the Host must be one of: ${ownNames(door).join(", ")}; with the port`);
    }
    const origin = ask.req.header("origin");
    if (origin !== undefined && !isOwnOrigin(origin, door)) {
      return sendError(ask, 403, "wrong-origin", "pages of other origins may not ask");
    }
    return next();
  };
}

/** `localhost:8787`, as a Host header holds it; without a port it means 80. */
function isOwnAuthority(authority: string, door: Door): boolean {
  const { name, port = HTTP_PORT } = AUTHORITY.exec(authority.toLowerCase())?.groups ?? {};
  return name !== undefined && Number(port) === door.port && ownNames(door).includes(name);
}

function isOwnOrigin(origin: string, door: Door): boolean {
  return origin.startsWith("http://") && isOwnAuthority(origin.slice("http://".length), door);
}

function ownNames({ host, address }: Door): string[] {
  // Listening everywhere, the host that is meant is the address that was reached: no foreign name can be that.
  const configured = EVERY_ADDRESS.includes(host) ? plainAddress(address) : host.toLowerCase();
  return [...new Set([inAuthority(configured), ...ALWAYS])];
}

/** IPv4 on a socket that speaks both is written as `::ffff:127.0.0.1`. */
export function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}

/** An IPv6 address is bracketed before its port. */
export function inAuthority(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
