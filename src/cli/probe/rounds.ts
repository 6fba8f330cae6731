/** Asks one question after the other, and clears the contract after each, whatever happened. */
import { ExchangeFailure } from "../../exchange/failure.js";
import { ABOUT_ORDERS } from "./about-orders.js";
import { ABOUT_SIZES } from "./about-sizes.js";
import { ABOUT_STOPS } from "./about-stops.js";
import { type Bench, Unsettled } from "./bench.js";
import { type Clearing, clear, intruder } from "./clearing.js";
import type { Experiment } from "./experiment.js";

export const EXPERIMENTS: readonly Experiment[] = [...ABOUT_STOPS, ...ABOUT_SIZES, ...ABOUT_ORDERS];

export interface Result {
  readonly name: string;
  readonly question: string;
  readonly expected: string;
  /** Null: it could not be settled. */
  readonly seen: string | null;
  /** The exchange's words and figures, or why it could not be settled. */
  readonly detail: string;
  readonly verdict: "as-expected" | "differs" | "unsettled";
}

export interface Rounds {
  readonly results: readonly Result[];
  /** What could not be taken away again. */
  readonly left: readonly string[];
}

export interface RoundsParts extends Clearing {
  readonly bench: Bench;
  /** Why nothing more may be asked; null: go on. */
  readonly stopped: () => string | null;
  readonly progress: (text: string) => void;
  /** Told at once, also where a mistake of ours ends the round. */
  readonly leftBehind: (left: readonly string[]) => void;
}

/** Once something is left behind, nothing more is asked: it would be asked of another position. */
export async function askAll(experiments: readonly Experiment[], parts: RoundsParts): Promise<Rounds> {
  const results: Result[] = [];
  let left: readonly string[] = [];
  for (const [index, experiment] of experiments.entries()) {
    const reason = parts.stopped() ?? (left.length > 0 ? "not asked: something was left behind before" : null);
    if (reason !== null) {
      results.push(unsettled(experiment, reason));
      continue;
    }
    parts.progress(`${index + 1} of ${experiments.length}: ${experiment.question}`);
    const hindrance = await hindranceIn(parts.bench);
    if (hindrance !== null) {
      results.push(unsettled(experiment, hindrance));
      continue;
    }
    let isInDoubt = true;
    try {
      const result = await ask(experiment, parts.bench);
      isInDoubt = result.verdict === "unsettled";
      results.push(result);
    } finally {
      left = await clear(parts.bench, parts, isInDoubt);
      if (left.length > 0) parts.leftBehind(left);
    }
  }
  return { results, left };
}

/** Looked at each time, and first after somebody has agreed: what is there now, the probe has not opened. */
async function hindranceIn(bench: Bench): Promise<string | null> {
  try {
    const found = await intruder(bench);
    return found === null ? null : `not asked: something else is in the contract now, ${found}`;
  } catch (error) {
    if (error instanceof Unsettled || error instanceof ExchangeFailure) return error.message;
    throw error;
  }
}

async function ask(experiment: Experiment, bench: Bench): Promise<Result> {
  const { name, question } = experiment;
  try {
    const { answer, detail, expected = experiment.expected } = await experiment.run(bench);
    const verdict = answer === expected ? "as-expected" : "differs";
    return { name, question, expected, seen: answer, detail, verdict };
  } catch (error) {
    if (error instanceof Unsettled || error instanceof ExchangeFailure) return unsettled(experiment, error.message);
    throw error;
  }
}

function unsettled({ name, question, expected }: Experiment, why: string): Result {
  return { name, question, expected, seen: null, detail: why, verdict: "unsettled" };
}
