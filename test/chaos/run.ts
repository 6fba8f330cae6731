/** A whole run: rounds in which everything goes wrong, and a calm now and then in which everything must be well. */
import { checkCalm } from "./calm.js";
import type { Violation } from "./checkers/index.js";
import { count } from "./checkers/notes.js";
import { planRounds } from "./plan.js";
import { setClock, type Running } from "./processes.js";
import { type Figures, performRound } from "./round.js";
import { openStage, type Stage, type StageOptions } from "./stage.js";

export interface RunOptions extends StageOptions {
  readonly rounds: number;
  /** Rounds between two calms; the last one is followed by one in any case. */
  readonly calmEvery: number;
  /** No new round begins after so long. */
  readonly mostMs: number;
}

export interface Outcome {
  readonly seed: number;
  readonly rounds: number;
  readonly disk: string;
  readonly seconds: number;
  readonly positions: number;
  readonly entries: number;
  /** Connections that were cut or kept silent. */
  readonly connectionsCut: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly figures: Figures & { readonly calmAfterMs: readonly number[] };
  readonly violations: readonly Violation[];
}

export async function runChaos(options: RunOptions): Promise<Outcome> {
  const stage = await openStage(options);
  const { record, checkers, bot } = stage;
  const startMs = record.now();
  const figures = { protectedAfterMs: [], tookOverAfterMs: [], calmAfterMs: [] as number[] };
  let rounds = 0;
  try {
    const plan = planRounds(stage.dice, options.rounds);
    for (let number = 0; number < 3; number += 1) bot.open();
    let left: Running | null = null;
    for (const round of plan) {
      if (record.now() - startMs > options.mostMs) break;
      left = await performRound(stage, round, left, figures);
      rounds += 1;
      if (rounds % options.calmEvery !== 0 || rounds === options.rounds) continue;
      if (left !== null) loseConnections(stage);
      left = await calm(stage, left, figures);
    }
    const last = await calm(stage, left, figures);
    last.signal("SIGTERM");
    await last.ended;
    checkers.lookAtJournal(true);
    checkers.files(stage.stateFolder);
    return {
      seed: options.seed,
      rounds,
      disk: stage.disk.kind,
      seconds: Math.round((record.now() - startMs) / 1_000),
      positions: bot.opened,
      entries: checkers.notes.journal.seen,
      connectionsCut: stage.places.reduce((sum, { line }) => sum + line.cuts, 0),
      counts: Object.fromEntries([...checkers.notes.counts].sort(([one], [other]) => one.localeCompare(other))),
      figures,
      violations: checkers.notes.violations,
    };
  } finally {
    await stage.close();
  }
}

/** Nobody acts, nothing goes wrong; a process is there, started by the supervisor where none was left. */
async function calm(stage: Stage, left: Running | null, figures: { readonly calmAfterMs: number[] }): Promise<Running> {
  for (const place of stage.places) setClock(place, 0);
  const writer = left ?? stage.start(stage.places[0]);
  figures.calmAfterMs.push(await checkCalm(stage, writer));
  return writer;
}

/** The last fault before some calms: whatever connections stand are dead without a word, and there is something to do. */
function loseConnections({ places, checkers, bot }: Stage): void {
  count(checkers.notes, "connections forgotten");
  places[0].turn("forgotten");
  places[0].turn("clear");
  bot.open();
  bot.open();
}
