/** The checkers of a chaos run: they know what is promised and what the exchange has recorded, and nothing of how the product decides. */
import type { HeardRequest } from "../line.js";
import type { Instance, LogLine } from "../processes.js";
import { checkClaim } from "./claims.js";
import { checkEffects } from "./effects.js";
import { count, latenessMs, type Notes, openNotes, type NotesParts } from "./notes.js";
import { checkSecrets } from "./secrets.js";
import { checkWrites } from "./writes.js";

export type { Notes, Violation } from "./notes.js";

export interface Checkers {
  readonly notes: Notes;
  /** A signed request leaves a process. */
  heard(request: HeardRequest<Instance>, alive: readonly Instance[]): void;
  started(instance: Instance): void;
  said(instance: Instance, line: LogLine): void;
  wrote(instance: Instance, text: string): void;
  ended(instance: Instance, how: string, isWanted: boolean): void;
  /** Of what was acknowledged, nothing may be lost. */
  lookAtJournal(whole?: boolean): void;
  files(folder: string): void;
}

export interface CheckerParts extends NotesParts {
  readonly secrets: readonly string[];
  /** How long this process may have heard nothing over its line, lately. */
  readonly badLineMs: (slot: string) => number;
}

export function createCheckers(parts: CheckerParts): Checkers {
  const notes = openNotes(parts);
  const writes = checkWrites(notes);
  const secrets = checkSecrets(notes, parts.secrets);
  const spoken = new Set<Instance>();
  let sender: Instance | undefined;
  notes.record.listen({
    arrived: (write) => {
      sender = writes.senderOf(write.signature);
      writes.arrived(write);
    },
    happened: (effects) => {
      const lateMs = sender === undefined ? 0 : latenessMs(sender, notes.record.now()) + parts.badLineMs(sender.slot);
      checkEffects(notes, effects, lateMs);
    },
  });

  return {
    notes,
    heard: (request, alive) => {
      secrets.sent(request.signature);
      writes.heard(request, alive);
    },
    started: (instance) => {
      notes.tell(`${instance.name} starts as process ${instance.pid}`);
      writes.started(instance);
    },
    said: (instance, line) => {
      spoken.add(instance);
      if (line.level !== "debug" && line.level !== "trace") notes.tell(`${instance.name}: ${line.msg} ${facts(line)}`);
      if (line.msg === "this process now writes for the account") writes.writer(instance);
      if (line.msg.startsWith("whether another process writes cannot be told")) writes.unsure(instance);
      if (line.msg.startsWith("the ledger cannot be written")) writes.ledger(instance, false);
      if (line.msg === "the ledger can be written again") writes.ledger(instance, true);
      checkClaim(notes, instance, line);
    },
    wrote: (instance, text) => secrets.wrote(instance, text),
    ended: (instance, how, isWanted) => {
      notes.tell(`${instance.name} has ended: ${how}`);
      count(notes, `exit ${how}`);
      // Told to stop it ends with 0, or at once where it had not begun; nothing but a signal of ours may end it otherwise.
      const isFine = ["0", "SIGKILL"].includes(how) || (how === "SIGTERM" && !spoken.has(instance));
      if (!isWanted || !isFine)
        notes.broken("F46", `${instance.name} has ended with ${how}${isWanted ? "" : " by itself"}`);
    },
    lookAtJournal: (whole = false) => {
      const { journal, broken } = notes;
      writes.settle();
      for (const sentence of whole ? journal.lookAtAll() : journal.look()) broken("LOST", sentence);
    },
    files: (folder) => secrets.files(folder),
  };
}

function facts(line: LogLine): string {
  const { level: _level, time: _time, msg: _msg, account: _account, category: _category, ...rest } = line;
  return JSON.stringify(rest);
}
