/** Files that hold one secret: read only where nobody else can have read or changed them. */
import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { dirname, sep } from "node:path";

export type SecretFile =
  | { readonly ok: true; readonly text: string }
  /** `what` ends a sentence that starts with the setting. `absent`: nothing is there, as opposed to something unfit. */
  | { readonly ok: false; readonly what: string; readonly absent: boolean };

const LARGEST_FILE_BYTES = 65_536;
const OTHERS_ANY_OR_GROUP_WRITE = 0o027;

/** Without the newlines at its end. `shown`: what a refusal calls it. */
export async function readSecretFile(path: string, shown: string = path): Promise<SecretFile> {
  try {
    return await readBehindLinks(path, shown);
  } catch (error) {
    // A mount that is swapped just now may have taken the file away between two looks.
    if (codeOf(error) === "ENOENT")
      return readBehindLinks(path, shown).catch((again: unknown) => unreadable(shown, again));
    return unreadable(shown, error);
  }
}

/** Links of a secret mount stay inside it; one that leads out could make a secret of any file that we can read. */
async function readBehindLinks(path: string, shown: string): Promise<SecretFile> {
  const [file, folder] = await Promise.all([realpath(path), realpath(dirname(path))]);
  if (!file.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)) {
    return unfit(`names ${shown}, a link that leads out of its folder; name the file that it leads to`);
  }
  // Non-blocking, so that a pipe without a writer is refused below instead of waited for.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    return await readChecked(handle, shown);
  } finally {
    await handle.close();
  }
}

/** Judges the opened file and not its name: mounted secrets are symlinks that are swapped while we look. */
async function readChecked(handle: FileHandle, shown: string): Promise<SecretFile> {
  const facts = await handle.stat();
  if (!facts.isFile() || facts.size > LARGEST_FILE_BYTES) {
    return unfit(`names ${shown}, which is no small plain file`);
  }
  if ((facts.mode & OTHERS_ANY_OR_GROUP_WRITE) !== 0) {
    const mode = (facts.mode & 0o777).toString(8).padStart(4, "0");
    return unfit(`names ${shown} with mode ${mode}, open to others; chmod 600 or 640 closes it`);
  }
  const user = process.getuid?.();
  if (user !== undefined && facts.uid !== user && facts.uid !== 0) {
    return unfit(`names ${shown}, owned by user ${facts.uid}; it must belong to user ${user} or to root`);
  }
  const text = (await handle.readFile("utf8")).replace(/[\r\n]+$/, "");
  return text === "" ? unfit(`names ${shown}, which is empty`) : { ok: true, text };
}

function unfit(what: string): SecretFile & { readonly ok: false } {
  return { ok: false, what, absent: false };
}

function unreadable(shown: string, error: unknown): SecretFile & { readonly ok: false } {
  const code = codeOf(error);
  return { ...unfit(`names a file that cannot be read: ${shown} (${code})`), absent: code === "ENOENT" };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
