/** Files that hold one secret: read only where nobody else can have read or changed them. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

export type SecretFile =
  | { readonly ok: true; readonly text: string }
  /** `what` ends a sentence that starts with the setting. `absent`: nothing is there, as opposed to something unfit. */
  | { readonly ok: false; readonly what: string; readonly absent: boolean };

const LARGEST_FILE_BYTES = 65_536;
const OTHERS_ANY_OR_GROUP_WRITE = 0o027;

/** Without the newlines at its end. */
export async function readSecretFile(path: string): Promise<SecretFile> {
  let handle: FileHandle;
  try {
    // Non-blocking, so that a pipe without a writer is refused below instead of waited for.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { ...unreadable(path, error), absent: codeOf(error) === "ENOENT" };
  }
  try {
    return await readChecked(handle, path);
  } catch (error) {
    return unreadable(path, error);
  } finally {
    await handle.close();
  }
}

/** Judges the opened file and not its name: mounted secrets are symlinks that are swapped while we look. */
async function readChecked(handle: FileHandle, path: string): Promise<SecretFile> {
  const facts = await handle.stat();
  if (!facts.isFile() || facts.size > LARGEST_FILE_BYTES) {
    return unfit(`names ${path}, which is no small plain file`);
  }
  if ((facts.mode & OTHERS_ANY_OR_GROUP_WRITE) !== 0) {
    const mode = (facts.mode & 0o777).toString(8).padStart(4, "0");
    return unfit(`names ${path} with mode ${mode}, open to others; chmod 600 or 640 closes it`);
  }
  const user = process.getuid?.();
  if (user !== undefined && facts.uid !== user && facts.uid !== 0) {
    return unfit(`names ${path}, owned by user ${facts.uid}; it must belong to user ${user} or to root`);
  }
  const text = (await handle.readFile("utf8")).replace(/[\r\n]+$/, "");
  return text === "" ? unfit(`names ${path}, which is empty`) : { ok: true, text };
}

function unfit(what: string): SecretFile & { readonly ok: false } {
  return { ok: false, what, absent: false };
}

function unreadable(path: string, error: unknown): SecretFile & { readonly ok: false } {
  return unfit(`names a file that cannot be read: ${path} (${codeOf(error)})`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
