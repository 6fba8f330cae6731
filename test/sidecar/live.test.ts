/** What is known of a contract's orders from the stream and from looks: a look at another one proves nothing of it. */
import { expect, test } from "vitest";
import { assess } from "../../src/assess/assess.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { lookedAgain, pictureOf, type Picture } from "../../src/domain/picture.js";
import { Live } from "../../src/sidecar/live.js";
import { Lives } from "../../src/sidecar/lives.js";
import { Looks } from "../../src/sidecar/looks.js";
import { aProtection, resolved } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";
import { aSnapshot } from "../builders/snapshot.js";

const START_MS = 1_700_000_000_000;
const BTC = { category: "linear", symbol: "BTCUSDT" } as const;
const ETH = { category: "linear", symbol: "ETHUSDT" } as const;

function scene() {
  const live = new Live();
  live.streamLive(START_MS);
  const looks = new Looks({ live, lives: new Lives(), tell: () => undefined, closerOf: () => "another hand" });
  const look = (picture: Picture): void => {
    const { snapshot } = picture;
    const policyOf = () => resolved({ protection: aProtection() });
    const assessment = assess({ snapshot, policyOf, lifeOf: () => UNWRITTEN_LIFE });
    looks.looked(picture, assessment, { nowMs: snapshot.requestedAtMs, pass: 1 });
  };
  const whole = pictureOf(aSnapshot({ allOrders: true, requestedAtMs: START_MS + 1_000 }));
  look(whole);
  return { live, look, whole };
}

const lookAt = (contract: typeof BTC | typeof ETH) =>
  aSnapshot({ scope: [contract], allOrders: true, requestedAtMs: START_MS + 2_000 });

test("a doubt about a contract outlives a look at another one, and ends with a look at its own", () => {
  const { live, look, whole } = scene();
  expect(live.ordersOf(ETH)).toEqual([]);
  live.doubt(ETH);
  const part = lookedAgain(whole, lookAt(BTC));
  look(part);
  expect(live.ordersOf(ETH)).toBeNull();
  look(lookedAgain(part, lookAt(ETH)));
  expect(live.ordersOf(ETH)).toEqual([]);
});

const long = aPosition();
const flat = { kind: "position-flat", key: long.key, atMs: START_MS } as const;

test("what was told flat is so until a look that was asked for later shows it open", () => {
  const { live, look, whole } = scene();
  live.pushed(flat, START_MS + 1_500);
  expect(live.lastPushed(long.key)).toBeNull();
  const shown = (requestedAtMs: number) =>
    lookedAgain(whole, aSnapshot({ scope: [BTC], allOrders: true, positions: [long], requestedAtMs }));
  look(shown(START_MS + 3_000));
  expect(live.lastPushed(long.key)).toBeNull();
  look(shown(START_MS + 4_000));
  expect(live.lastPushed(long.key)).toBeUndefined();
});

test.each([
  ["its contract", { kind: "unreadable", ...BTC, reason: "size is missing" }],
  ["a contract that is not named", { kind: "unreadable", category: null, symbol: null, reason: "no row" }],
] as const)("what was told flat is not any more after a push about %s that cannot be read", (_what, push) => {
  const { live } = scene();
  live.pushed(flat, START_MS + 1_500);
  live.pushed(push, START_MS + 1_600);
  expect(live.lastPushed(long.key)).toBeUndefined();
});

test("what was told flat stays so after a push about another contract that cannot be read", () => {
  const { live } = scene();
  live.pushed(flat, START_MS + 1_500);
  live.doubt(ETH);
  expect(live.lastPushed(long.key)).toBeNull();
});
