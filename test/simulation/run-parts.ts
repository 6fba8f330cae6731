/** What all parts of one run share: time, the exchange, chance, what goes wrong, and who watches. */
import { type Random, seededRandom } from "../../src/exchange/simulator/random.js";
import type { SidecarEvent } from "../../src/sidecar/event.js";
import type { NewEntry } from "../../src/ledger/port.js";
import type { Outgoing } from "../../src/exchange/bybit/index.js";
import type { Plant } from "./planted.js";
import type { FaultName } from "./faults.js";
import type { Story } from "./story.js";
import type { Owner, VirtualTime } from "./time.js";
import type { Change, Venue } from "./venue.js";

/** A process that runs the sidecar. */
export interface Instance extends Owner {
  /** 0: the first; 1: the standby. */
  readonly slot: number;
}

/** Awaits of the write path at which a process may die. */
export const DEATHS = [
  "intent issued",
  "intent durable",
  "request leaving",
  "request arrived",
  "effect done",
  "answer back",
  "answer written",
] as const;
export type Death = (typeof DEATHS)[number];

export interface Sent {
  readonly instance: Instance;
  readonly outgoing: Outgoing;
  readonly atMs: number;
}

/** As it reaches the dead man's switch, or does not for a trouble that is not ours. */
export interface Ping {
  readonly kind: "start" | "success" | "fail" | "lost";
  readonly text: string;
}

/** Told of everything; what it finds wrong it reports itself. */
export interface Watcher {
  sent(sent: Sent): void;
  /** A read came back and was taken for good by the wire; rows as they were. */
  answered(sent: Sent, body: unknown): void;
  pushed(instance: Instance, symbol: string, row: unknown): void;
  changed(change: Change): void;
  told(instance: Instance, event: SidecarEvent): void;
  /** Handed to the ledger, and not durable yet. */
  intended(instance: Instance, entry: NewEntry): void;
  /** Durable from now on. */
  written(instance: Instance, entry: NewEntry): void;
  /** The ledger did not take it, or not in time. */
  notWritten(): void;
  /** The dead man's switch has heard of this process. */
  pinged(instance: Instance, ping: Ping): void;
  /** Any text that leaves the process: log lines, reports, ledger rows. */
  printed(text: string): void;
}

export interface Run {
  readonly time: VirtualTime;
  readonly story: Story;
  readonly venue: Venue;
  readonly watcher: Watcher;
  readonly plant: Plant | null;
  /** For what goes wrong; apart from the dice of the product's own randomness. */
  readonly dice: Random;
  readonly fired: Map<FaultName, number>;
  /** True: nothing goes wrong any more. */
  isCalm: boolean;
  /** For the figures, by name. */
  readonly counts: Map<string, number>;
  isNetworkDown: boolean;
  isBanned: boolean;
  isJournalFull: boolean;
  /** The dead man's switch does not answer, or not as it should; null: it is well. */
  switchTrouble: "hangs" | "refuses" | "fails" | null;
  /** What every signed request is answered with; null: the key is good. */
  keyTrouble: number | null;
  /** A contract whose position rows hold a word that nobody knows; null: none. */
  spoilt: string | null;
  /** Where the process dies next; null: it lives. */
  death: Death | null;
  kill: (instance: Instance, at: Death) => void;
  trace(line: string): void;
  /** For the story of one seed; null: nobody reads it. */
  readonly tell: ((line: string) => void) | null;
}

export const diceFor = (seed: number, salt: number): Random => seededRandom((seed + 1) * 7_919 + salt * 104_729);

/** True: it happens now; it is counted. */
export function strikes(run: Run, name: FaultName): boolean {
  const rate = run.story.faults[name];
  if (rate === undefined || run.isCalm || run.dice.next() >= rate) return false;
  noteFault(run, name);
  return true;
}

export function addTo(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

export function noteFault(run: Run, name: FaultName): void {
  run.fired.set(name, (run.fired.get(name) ?? 0) + 1);
  run.trace(`fault ${name}`);
  run.tell?.(`fault: ${name}`);
}

/** A place where the process may die: true, and it is dead. */
export function passes(run: Run, instance: Instance, at: Death): boolean {
  if (!instance.isAlive) return true;
  if (run.death !== at || run.isCalm) return false;
  run.death = null;
  noteFault(run, "kill");
  addTo(run.counts, `killed: ${at}`);
  run.kill(instance, at);
  return true;
}
