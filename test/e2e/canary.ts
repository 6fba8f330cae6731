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

/** A canary as it is, in JSON, in a URL, in a form, on a page. */
function inText(text: string): readonly string[] {
  const inUrl = encodeURIComponent(text);
  const all = [
    text,
    JSON.stringify(text).slice(1, -1),
    inUrl,
    inUrl.replaceAll(/%../g, (code) => code.toLowerCase()),
    new URLSearchParams([["", text]]).toString().slice(1),
    text.replaceAll("&", "&amp;").replaceAll('"', "&quot;"),
  ];
  return [...new Set(all)];
}

/** In base64 of a text in which it begins at each of the three places. */
function inBase64(text: string): readonly string[] {
  return [0, 1, 2].map((offset) => Buffer.concat([Buffer.alloc(offset, "x"), Buffer.from(text)]).toString("base64"));
}

/** What shows a canary; of base64, what does not depend on the neighbours. */
export function spellings(text: string): readonly string[] {
  return [...inText(text), ...inBase64(text).map((encoded) => encoded.slice(4, -4))];
}

const PIECE = 14;

/** So that a canary is also found where a text was cut: whatever shows twenty letters in a row shows one of these. */
function pieces(text: string): readonly string[] {
  const starts = Array.from(
    { length: Math.ceil((text.length - PIECE) / (PIECE / 2)) + 1 },
    (_, nth) => nth * (PIECE / 2),
  );
  return starts.map((start) => text.slice(start, start + PIECE)).filter((piece) => piece.length === PIECE);
}

/** Which pieces of key, secret, signatures sent so far and `more` stand in an output, also over the end of a line. */
export function leaks(stage: Stage, outputs: readonly string[], more: readonly string[] = []): readonly string[] {
  const signatures = stage.mirror?.seen.flatMap(({ headers }) => headers["x-bapi-sign"] ?? []).flat() ?? [];
  const hidden = [...[CANARY.key, CANARY.secret, ...more].flatMap(spellings).flatMap(pieces), ...signatures];
  const searched = outputs.flatMap((output) => [output, output.replaceAll(/\s+/g, "")]);
  return hidden.filter((text) => searched.some((output) => output.includes(text)));
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

/** The same in one spelling after the other, also so far back that the words are cut in the middle of it. */
export function echoingSpelled(): Rewrite {
  const told = [CANARY.secret, CANARY.key].flatMap((text) => [...inText(text), ...inBase64(text)]);
  const texts = [0, 100, 150, 170].flatMap((before) => told.map((text) => `${"w".repeat(before)} ${text} was refused`));
  let answers = 0;
  return ({ headers }, body) => {
    if (headers["x-bapi-sign"] === undefined) return { body };
    const retMsg = texts[answers % texts.length];
    answers += 1;
    return { body: JSON.stringify({ retCode: 110061, retMsg, result: {}, time: Date.now() }) };
  };
}
