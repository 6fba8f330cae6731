/** The bearer token: whoever can read its file may ask for everything. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { link, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { makeOwnersFolder } from "../ledger/folder.js";
import { readSecretFile, registerSecret } from "../runtime/index.js";

const TOKEN_BYTES = 32;
/** Letters that a header can carry (RFC 6750 b64token); fewer could be guessed. */
const FIT_TOKEN = /^[A-Za-z0-9\-._~+/]{32,512}=*$/;
const BEARER = /^bearer +(?<token>\S+) *$/i;

/** The message starts with the setting and says what to do. */
export class TokenFileError extends Error {
  override readonly name = "TokenFileError";
  /** `unmade`: there is none, and none can be written now; `unfit`: the one that is there must not be used. */
  readonly trouble: "unfit" | "unmade";

  constructor(message: string, trouble: "unfit" | "unmade" = "unfit") {
    super(message);
    this.trouble = trouble;
  }
}

/**
 * The token in the file, which is made when absent. From here on no log and no answer shows it.
 * @throws TokenFileError where others can read the file, or it holds no token
 */
export async function openToken(file: string): Promise<string> {
  const found = await readSecretFile(file);
  if (found.ok) return fitToken(found.text, file);
  if (!found.absent) throw new TokenFileError(`http.tokenFile ${found.what}; ${ANEW}`);
  await createTokenFile(file);
  // What counts is what is there: another process may have been faster.
  const made = await readSecretFile(file);
  if (!made.ok) throw new TokenFileError(`http.tokenFile ${made.what}`);
  return fitToken(made.text, file);
}

/** Known to nobody: for as long as no file can hold one, nothing that needs a token is answered. */
export function unknownToken(): string {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  registerSecret(token);
  return token;
}

const ANEW = "delete the file, and a new token is made at the next start";

function fitToken(token: string, file: string): string {
  registerSecret(token);
  if (FIT_TOKEN.test(token)) return token;
  throw new TokenFileError(
    `http.tokenFile names ${file}, which holds no token: 32 to 512 letters, digits or -._~+/ in one line; ` + ANEW,
  );
}

/** Written whole beside its place and then linked there: nobody ever reads half a token, and none is overwritten. */
async function createTokenFile(file: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeOwnersFolder(dirname(file));
    await writePrivately(draft, `${randomBytes(TOKEN_BYTES).toString("base64url")}\n`);
    try {
      await link(draft, file);
    } finally {
      await unlink(draft);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    if (code !== "EEXIST")
      throw new TokenFileError(`http.tokenFile names ${file}, which cannot be made (${code})`, "unmade");
  }
}

async function writePrivately(path: string, text: string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What an Authorization header offers; null: nothing of the kind. */
export function bearerToken(authorization: string | undefined): string | null {
  return BEARER.exec(authorization ?? "")?.groups?.["token"] ?? null;
}

/** In a time that says nothing about where they differ, nor about their lengths. */
export function sameToken(offered: string, token: string): boolean {
  return timingSafeEqual(digest(offered), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
