/** A contract whose orders stay silent, seen by a guard over time: others are protected meanwhile, and it is not forgotten. */
import { expect, test } from "vitest";
import { guarded } from "../builders/guard.js";
import { aPosition } from "../builders/position.js";

const silent = aPosition({ symbol: "SOLPERP" });
const naked = Array.from({ length: 5 }, (_, nth) => aPosition({ symbol: `F${nth}USDT` }));
const SILENT = { symbols: ["SOLPERP"] };

test("at the start the others have their stops within two seconds, and it has none", async () => {
  const scene = await guarded({ positions: [...naked, silent], silence: SILENT });
  expect(naked.map(({ key }) => scene.exchange.stopOf(key))).toEqual(naked.map(() => "98"));
  expect(scene.exchange.stopOf(silent.key)).toBeNull();
  await scene.clock.sleep(40_000);
  expect(scene.exchange.writes.map(({ request }) => request.key.symbol)).not.toContain("SOLPERP");
  expect(scene.guard.status()).toMatchObject({ positions: { protected: 5, unknown: 1 } });
  await scene.close();
});

test("once it answers it gets its stop, also where it is slow ever after", async () => {
  const silence = { symbols: ["SOLPERP"], answersAfterMs: Number.POSITIVE_INFINITY };
  const scene = await guarded({ positions: [...naked, silent], silence });
  await scene.clock.sleep(20_000);
  silence.answersAfterMs = 3_000;
  await scene.clock.sleep(20_000);
  expect(scene.exchange.stopOf(silent.key)).toBe("98");
  await scene.close();
});

test.each([
  ["is pushed", false, 1_000],
  ["is pushed and may be written only after a look", true, 16_000],
])("what opens meanwhile and %s is protected all the same", async (_how, unknownInstrument, withinMs) => {
  const scene = await guarded({ positions: [...naked, silent], silence: SILENT, unknownInstrument });
  await scene.clock.sleep(20_000);
  const opened = aPosition({ symbol: "NEWUSDT" });
  scene.opens(opened);
  scene.pushes({ kind: "position-open", position: opened, atMs: scene.clock.now() });
  await scene.clock.sleep(withinMs);
  expect(scene.exchange.stopOf(opened.key)).toBe("98");
  await scene.close();
});
