/** What went wrong with the ledger, in words for an operator; no driver's error and no secret leaves this room. */

/**
 * `full`, `read-only`, `busy`, `unreachable`: as it says, and it may pass. `refused`: the server, or the file, does not let us in.
 * `newer`: written by a later version of this program. `damaged`: what is stored cannot be read.
 * `value`: what was handed over cannot be stored, our own mistake. `closed`: asked after `close()`.
 */
export type LedgerTrouble =
  | "full"
  | "read-only"
  | "busy"
  | "unreachable"
  | "refused"
  | "newer"
  | "damaged"
  | "value"
  | "closed"
  | "other";

export class LedgerError extends Error {
  override readonly name = "LedgerError";
  readonly trouble: LedgerTrouble;

  constructor(trouble: LedgerTrouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}

/** Turns whatever a driver threw into the one error of this room. */
export type Explain = (error: unknown) => LedgerError;

interface Cause {
  readonly trouble: LedgerTrouble;
  readonly words: string;
}

const FULL: Cause = { trouble: "full", words: "the disk is full" };
const READ_ONLY: Cause = { trouble: "read-only", words: "it can only be read" };
const UNREACHABLE: Cause = { trouble: "unreachable", words: "the server cannot be reached" };
const REFUSED: Cause = { trouble: "refused", words: "the server refuses this user or password" };
const UNFIT: Cause = { trouble: "value", words: "what was handed over does not fit into it" };
const LIMITED: Cause = { trouble: "busy", words: "it was held by another program for too long" };

/** By the beginning of SQLite's result codes (sqlite.org/rescode.html); the first that fits counts. */
const SQLITE: readonly (readonly [string, Cause])[] = [
  ["SQLITE_FULL", FULL],
  ["SQLITE_READONLY", READ_ONLY],
  ["SQLITE_BUSY", LIMITED],
  ["SQLITE_LOCKED", LIMITED],
  ["SQLITE_IOERR", { trouble: "other", words: "the disk reports an error" }],
  ["SQLITE_CORRUPT", { trouble: "damaged", words: "it is damaged" }],
  ["SQLITE_NOTADB", { trouble: "damaged", words: "it is no SQLite database" }],
  ["SQLITE_CANTOPEN", { trouble: "other", words: "it cannot be opened" }],
  ["SQLITE_CONSTRAINT", UNFIT],
  ["SQLITE_MISMATCH", UNFIT],
  ["SQLITE_TOOBIG", UNFIT],
  // Where the disk has no room left for a name, the folder's own write fails before SQLite can say so.
  ["ENOSPC", FULL],
  ["EROFS", READ_ONLY],
  ["EACCES", { trouble: "read-only", words: "this user may not write there" }],
];

/** By the beginning of PostgreSQL's error codes (appendix A of its manual) or of the socket's. */
const POSTGRES: readonly (readonly [string, Cause])[] = [
  ["53100", FULL],
  ["25006", READ_ONLY],
  ["28", REFUSED],
  ["3D000", { trouble: "refused", words: "there is no such database" }],
  ["42501", { trouble: "refused", words: "this user lacks a right in the database" }],
  ["55P03", LIMITED],
  ["57014", { trouble: "busy", words: "the server took too long" }],
  ["53", { trouble: "busy", words: "the server has no room left for this connection or query" }],
  ["55000", UNREACHABLE],
  ["57", UNREACHABLE],
  ["08", UNREACHABLE],
  ["22", UNFIT],
  ["23", UNFIT],
  ["ECONN", UNREACHABLE],
  ["EHOST", UNREACHABLE],
  ["ENET", UNREACHABLE],
  ["ENOTFOUND", UNREACHABLE],
  ["EAI_", UNREACHABLE],
  ["ETIMEDOUT", UNREACHABLE],
  ["EPIPE", UNREACHABLE],
  // A socket's folder in which no server listens.
  ["ENOENT", UNREACHABLE],
];

/** Texts without a code that pg throws when a connection cannot be had, is lost, or does not answer. */
const LOST = /timeout|terminated|not queryable|connection (?:ended|error)/i;

export function explainSqlite(file: string): Explain {
  return (error) => {
    const code = /\b14"?\)$/.test(messageOf(error)) ? "SQLITE_CANTOPEN" : codeOf(error);
    return explained(`the ledger ${file}`, error, code, causeOf(SQLITE, code));
  };
}

/** `secrets` never show in what is told. */
export function explainPostgres(server: string, secrets: readonly string[]): Explain {
  return (error) => {
    const code = codeOf(error);
    const cause = code === "" && LOST.test(messageOf(error)) ? UNREACHABLE : causeOf(POSTGRES, code);
    return explained(`the ledger at ${server}`, error, code, cause, secrets);
  };
}

function explained(
  what: string,
  error: unknown,
  code: string,
  cause: Cause | null,
  secrets: readonly string[] = [],
): LedgerError {
  if (error instanceof LedgerError) return error;
  // Hidden before it is cut: half a secret would not be found.
  const { trouble, words } = cause ?? { trouble: "other", words: firstLine(hidden(messageOf(error), secrets)) };
  return new LedgerError(trouble, `${what}: ${words}${code === "" ? "" : ` (${code})`}`);
}

function causeOf(causes: readonly (readonly [string, Cause])[], code: string): Cause | null {
  return code === "" ? null : (causes.find(([beginning]) => code.startsWith(beginning))?.[1] ?? null);
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "no error was given";
}

const LONGEST = 200;

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").slice(0, LONGEST);
}

function hidden(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== "").reduce((left, secret) => left.replaceAll(secret, "[secret]"), text);
}
