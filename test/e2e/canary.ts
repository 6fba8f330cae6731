/** Keys and secrets that are easy to find, in every spelling in which they might leave the program. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AccountOptions } from "../../src/exchange/simulator/index.js";
import type { Passing, Rewrite } from "./mirror.js";
import { MAIN, type Stage } from "./stage.js";

/** The secret has characters that URLs and JSON write otherwise. */
export const CANARY: AccountOptions = {
  ...MAIN,
  key: "CaNaRyKeY012345678",
  secret: 'cAnArY/sEcReT+0123&"456=7890%abc\\d',
};

/** A canary as it is, in JSON, in a URL, and inside base64 of anything. */
export function spellings(text: string): readonly string[] {
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset, "x"), Buffer.from(text)]).toString("base64");
    return encoded.slice(4, -4);
  });
  return [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), ...base64];
}

/** Which of key, secret, signatures sent so far and `more` stand in an output. */
export function leaks(stage: Stage, outputs: readonly string[], more: readonly string[] = []): readonly string[] {
  const signatures = stage.mirror?.seen.flatMap(({ headers }) => headers["x-bapi-sign"] ?? []).flat() ?? [];
  const hidden = [...[CANARY.key, CANARY.secret, ...more].flatMap(spellings), ...signatures];
  return hidden.filter((text) => outputs.some((output) => output.includes(text)));
}

/** Whatever the program left in its folder besides the config, the ledger's file included. */
export function filesIn({ folder }: Stage, inside = "", except: readonly string[] = []): readonly string[] {
  const found = readdirSync(join(folder, inside), { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile() && !["backstop.json", ...except].includes(entry.name));
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"));
}

/** The exchange, or something before it, says what it was sent: the worst it can do. */
export const echo: (passing: Passing) => string = ({ headers }) =>
  [CANARY.secret, headers["x-bapi-api-key"], headers["x-bapi-sign"], JSON.stringify(headers)].join(" ");

export const echoing: Rewrite = (passing) => ({
  body: JSON.stringify({ retCode: 10001, retMsg: echo(passing), result: {}, time: Date.now() }),
});
