/** Key, secret and signatures in whatever the processes write: lines and files (S16). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { spellings } from "../../e2e/canary.js";
import type { Instance } from "../processes.js";
import type { Notes } from "./notes.js";

export interface SecretChecks {
  /** A signature of a request that was sent: it may stand nowhere either. */
  sent(signature: string): void;
  wrote(instance: Instance, text: string): void;
  /** Every file below the folder. */
  files(folder: string): void;
}

/** What is cut off between two parts of an output is longer than no secret. */
const TAIL = 400;
const SIGNATURE = /[0-9a-f]{64}/g;

export function checkSecrets({ broken }: Notes, secrets: readonly string[]): SecretChecks {
  const canaries = secrets.flatMap(spellings);
  const signatures = new Set<string>();
  const tails = new Map<string, string>();

  function look(where: string, text: string): void {
    const canary = canaries.find((one) => text.includes(one));
    if (canary !== undefined) broken("S16", `a secret in ${where}`);
    if (text.match(SIGNATURE)?.some((one) => signatures.has(one))) broken("S16", `a signature in ${where}`);
  }

  return {
    sent: (signature) => void signatures.add(signature),
    wrote: ({ name }, text) => {
      const whole = (tails.get(name) ?? "") + text;
      look(`the output of ${name}`, whole);
      tails.set(name, whole.slice(-TAIL));
    },
    files: (folder) => {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || entry.name === "ballast") continue;
        look(entry.name, readFileSync(join(entry.parentPath, entry.name), "latin1"));
      }
    },
  };
}
