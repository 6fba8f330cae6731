/** A position that we wrote to and that another hand closes: once a read has proven it, nothing tells of it any more. */
import { describe, expect, test } from "vitest";
import { buildReport } from "../../src/report/build.js";
import type { Report } from "../../src/report/index.js";
import { type Guarded, guarded, pushOf } from "../builders/guard.js";
import { aPosition, aShort } from "../builders/position.js";

const long = aPosition();
const { key } = long;

/** What the running program tells, as short lines: `long unknown null`. */
function told({ guard, clock }: Guarded): readonly string[] {
  return reported(guard.latest(), clock.now()).positions.map(({ side, status, size }) => `${side} ${status} ${size}`);
}

function reported(latest: ReturnType<Guarded["guard"]["latest"]>, generatedAtMs: number): Report {
  if (latest === null) throw new RangeError("nothing has been looked at");
  const outcome = { kind: "seen", name: "main", ...latest, findings: [] } as const;
  return buildReport({ command: "run", generatedAtMs, generatedAt: "2026-01-01T00:00:00.000Z", outcomes: [outcome] });
}

function closes({ exchange, pushes, clock }: Guarded): void {
  exchange.hand.close(key);
  pushes({ kind: "position-flat", key, atMs: clock.now() });
}

/** The looks that follow a push at once. */
const A_LOOK_MS = 300;

describe("a position whose stop we have set and which another hand closes", () => {
  test("leaves the report with the first read that agrees with the stream, and stays away", async () => {
    const scene = await guarded({ positions: [long] });
    expect(told(scene)).toEqual(["long protected 1"]);
    await scene.clock.sleep(3_000);
    closes(scene);
    await scene.clock.sleep(A_LOOK_MS);
    expect(told(scene)).toEqual([]);
    expect(scene.guard.status().positions).toMatchObject({ protected: 0, unknown: 0 });
    for (let sweep = 0; sweep < 3; sweep += 1) {
      scene.guard.wake("schedule");
      await scene.clock.sleep(2_000);
      expect(told(scene)).toEqual([]);
    }
    await scene.close();
  });

  test("is unknown for as long as no read shows its own row flat: a list without it proves nothing", async () => {
    const scene = await guarded({ positions: [long], hidesFlatRows: () => true });
    closes(scene);
    await scene.clock.sleep(A_LOOK_MS);
    scene.guard.wake("schedule");
    await scene.clock.sleep(5_000);
    expect(told(scene)).toEqual(["long unknown null"]);
    expect(scene.guard.status().positions).toMatchObject({ unknown: 1 });
    await scene.close();
  });

  test("without a stream leaves it once two rows, seconds apart, and a list have proven the close", async () => {
    const scene = await guarded({ positions: [long], isLive: false });
    await scene.clock.sleep(3_000);
    scene.exchange.hand.close(key);
    scene.guard.wake("schedule");
    await scene.clock.sleep(1_000);
    expect(told(scene)).toEqual(["long unknown null"]);
    await scene.clock.sleep(6_000);
    expect(told(scene)).toEqual([]);
    await scene.close();
  });

  test("leaves it also after a flip, and until then by the side that it had last", async () => {
    const scene = await guarded({ positions: [long] });
    const short = aShort({ openedAtMs: scene.clock.now() });
    scene.exchange.hand.put(short);
    scene.pushes(pushOf(short, scene.clock));
    await scene.clock.sleep(3_000);
    expect(told(scene)).toEqual(["short protected 1"]);
    closes(scene);
    expect(told(scene)).toEqual(["short unknown 1"]);
    await scene.clock.sleep(A_LOOK_MS);
    expect(told(scene)).toEqual([]);
    await scene.close();
  });

  test("before any look has shown it leaves no trace either", async () => {
    const scene = await guarded({ latencyMs: 100 });
    scene.opens(aPosition({ openedAtMs: scene.clock.now() }));
    await scene.clock.sleep(120);
    expect(scene.exchange.writes).toHaveLength(1);
    closes(scene);
    await scene.clock.sleep(4_000);
    expect(told(scene)).toEqual([]);
    await scene.close();
  });
});

test("a position that we have closed is told as closed, and its step as confirmed", async () => {
  const past = aPosition({ mark: "97" });
  const scene = await guarded({ positions: [past], isLive: false, protection: { pastStop: "close" } });
  await scene.clock.sleep(8_000);
  expect(scene.exchange.writes.map(({ kind }) => kind)).toEqual(["close"]);
  expect(told(scene)).toEqual(["long closed 0"]);
  const { positions, summary } = reported(scene.guard.latest(), scene.clock.now());
  expect(positions[0]?.steps.map(({ outcome }) => outcome)).toEqual(["confirmed"]);
  expect(summary).toMatchObject({ closed: 1, confirmed: 1 });
  await scene.close();
});
