/** What is known of a contract's orders from the stream and from looks: a look at another one proves nothing of it. */
import { expect, test } from "vitest";
import { assess } from "../../src/assess/assess.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { lookedAgain, pictureOf, type Picture } from "../../src/domain/picture.js";
import { Live } from "../../src/sidecar/live.js";
import { Lives } from "../../src/sidecar/lives.js";
import { Looks } from "../../src/sidecar/looks.js";
import { aProtection, resolved } from "../builders/policy.js";
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
