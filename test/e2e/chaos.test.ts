/** The short form of `npm run chaos`: real processes that are killed, paused and cut off, and every promise kept. */
import { expect, test } from "vitest";
import { runChaos } from "../chaos/run.js";
import { violationLines } from "../chaos/summary.js";
import { root } from "../tidy/sources.js";

const SECONDS = 1_000;
/** A short pause, two kinds of bad lines, a full disk that is felt, a clock that is set, and a standby that takes over. */
const SEED = 201;

test(
  "a sidecar that is killed, paused, cut off, out of disk and succeeded by another breaks no promise",
  async () => {
    const outcome = await runChaos({
      root,
      seed: SEED,
      rounds: 5,
      calmEvery: 5,
      sweepSeconds: 2,
      disk: "auto",
      mostMs: 60 * SECONDS,
    });
    expect(violationLines(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ rounds: 5, counts: { "take-overs": 1 } });
    expect(outcome.counts["exit SIGKILL"]).toBeGreaterThan(3);
    expect(outcome.entries).toBeGreaterThan(10);
  },
  120 * SECONDS,
);
