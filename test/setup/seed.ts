/**
 * Property tests draw the same cases in every run, so that red means a change; SEED=… draws others. RUNS=0.1 draws a
 * tenth of them, and looks for no smaller counterexample: for who runs the tests a thousand times.
 */
import fc from "fast-check";

const { SEED, RUNS = "1" } = process.env;
const share = Number(RUNS);

fc.configureGlobal({
  seed: SEED === undefined ? 20_251_125 : Number(SEED),
  ...(share < 1 ? { numRuns: Math.ceil(100 * share), endOnFailure: true } : {}),
});
