/** `backstop pause` and `resume`: no writes for a while, here or everywhere; audits and alerts go on. */
import { type Pause, pauseText } from "../ledger/pauses.js";
import { addPauses, PauseFileError, type PauseScope, removePauses, type Resumed } from "../ledger/pausing.js";
import { readOnlyReason } from "../ledger/readonly.js";
import { scrubValue, systemClock } from "../runtime/index.js";
import type { Console } from "./console.js";
import { type CommonOptions, openOutline } from "./context.js";
import { Refusal } from "./exit.js";

export interface ResumeOptions extends CommonOptions {
  /** Absent: all. */
  readonly symbol?: readonly string[];
}

export interface PauseOptions extends ResumeOptions {
  /** Milliseconds; absent: until resumed. */
  readonly for?: number;
  readonly reason?: string;
}

export async function pause(options: PauseOptions, console: Console): Promise<number> {
  const { stateDir } = await openOutline(options);
  const untilMs = options.for === undefined ? null : systemClock.now() + options.for;
  const wish = { ...scopeOf(options), untilMs, reason: scrubValue(options.reason ?? null) };
  const { added, inForce } = await orRefusal(() => addPauses(stateDir, wish, systemClock));
  for (const one of added) console.out(`Paused: ${pauseText(one)}\n`);
  console.out(pausedNow(inForce));
  return 0;
}

export async function resume(options: ResumeOptions, console: Console): Promise<number> {
  const { stateDir } = await openOutline(options);
  const scope = scopeOf(options);
  const resumed = await orRefusal(() => removePauses(stateDir, scope, systemClock));
  refuseTooNarrow(resumed, scope);
  const { removed, damage, stillHolding, inForce } = resumed;
  if (damage !== null) console.out(`Resumed: everything, which was paused because the file was damaged: ${damage}\n`);
  for (const one of removed) console.out(`Resumed: ${pauseText(one)}\n`);
  if (damage === null && removed.length === 0) console.out("There was nothing to resume.\n");
  for (const one of stillHolding) console.err(`Still held by a pause that reaches farther: ${pauseText(one)}\n`);
  console.out(pausedNow(inForce));
  const frozen = readOnlyReason(stateDir, process.env);
  if (frozen !== null) console.err(`Whatever is paused or not, ${frozen}.\n`);
  return 0;
}

/** What is written down has been searched for secrets; the accounts are known by name. */
function scopeOf({ account, symbol }: ResumeOptions): PauseScope {
  return { accounts: account ?? [], symbols: scrubValue(symbol ?? []) };
}

/** Nothing was resumed and the place is still paused: who asked must not believe that it is not. */
function refuseTooNarrow({ removed, stillHolding }: Resumed, { accounts, symbols }: PauseScope): void {
  if (removed.length > 0 || stillHolding.length === 0) return;
  const asked = [
    ...accounts.map((name) => `--account ${JSON.stringify(name)}`),
    ...symbols.map((symbol) => `--symbol ${JSON.stringify(symbol)}`),
  ];
  const wider = stillHolding.map((one) => `\n  ${pauseText(one)}`).join("");
  throw new Refusal(
    `${asked.join(" ")}: nothing was resumed, because a pause that reaches farther holds it:${wider}\n` +
      "allowed: the account and symbol of such a pause, or neither option, which resumes everything.",
  );
}

function pausedNow(inForce: readonly Pause[]): string {
  if (inForce.length === 0) return "Nothing is paused.\n";
  return `Paused now:\n${inForce.map((one) => `  ${pauseText(one)}\n`).join("")}`;
}

async function orRefusal<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PauseFileError) throw new Refusal(error.message, 1);
    throw error;
  }
}
