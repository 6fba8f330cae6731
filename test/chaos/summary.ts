/** What a run has come to, in lines for a person. */
import type { Outcome } from "./run.js";

export function summaryOf(outcome: Outcome): readonly string[] {
  const { seed, rounds, seconds, disk, positions, entries, connectionsCut, counts, figures, violations } = outcome;
  const times = (name: string): number => counts[name] ?? 0;
  const spells = Object.entries(counts).filter(([name]) => name.startsWith("line "));
  const exits = Object.entries(counts).filter(([name]) => name.startsWith("exit "));
  const listed = (some: readonly (readonly [string, number])[], cut: number): string =>
    some.map(([name, value]) => `${name.slice(cut)} ${value}`).join(", ");
  return [
    `seed ${seed}: ${rounds} rounds in ${seconds} s`,
    `kills ${times("kills")}, terminations ${times("terminations")}, pauses ${times("pauses")}, clock steps ${times("clock steps")}, take-overs ${times("take-overs")}`,
    `bad lines: ${listed(spells, 5) || "none"} (${connectionsCut} connections cut); disk full ${times("disk full")} times (${disk})`,
    `exit codes: ${listed(exits, 5)}`,
    `positions opened ${positions}, writes ${times("writes")}, effects ${times("effects")}, races with another hand ${times("races")}`,
    `entries of the ledger seen and kept ${entries}, urgent stops without an entry ${times("urgent stops without an entry")}`,
    `said protected ${times("said protected")}, said confirmed ${times("said confirmed")}`,
    `ms from a start to a stop for everything: ${spread(figures.protectedAfterMs)}`,
    `ms from the writer's death to its successor: ${spread(figures.tookOverAfterMs)}`,
    `ms from the last fault to a stop for everything: ${spread(figures.calmAfterMs)}`,
    violations.length === 0 ? "no violation" : `${violations.length} violations`,
  ];
}

export function violationLines({ violations }: Outcome): readonly string[] {
  return violations.flatMap(({ check, message, atMs, before }, index) => [
    `✗ ${check} at ${(atMs / 1_000).toFixed(3)} s: ${message}`,
    // What led to the first one is what matters; the others often follow from it.
    ...(index === 0 ? before.map((line) => `    ${line}`) : []),
  ]);
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return "none measured";
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} (${values.length} times)`;
}
