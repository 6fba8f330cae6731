/** Chance of the real process; everything else is handed it. */
import { randomInt } from "node:crypto";

const STEPS = 2 ** 32;

/** At least 0, below 1. */
export const systemRandom = (): number => randomInt(STEPS) / STEPS;
