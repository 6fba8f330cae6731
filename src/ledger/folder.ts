/** The folder that state is kept in. */
import { existsSync, lchownSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * For nobody but us, with all that is missing above it. One by one: Node's own `recursive` never ends, at full load,
 * where a folder takes no new one, such as that of a config that is a pipe (/dev/fd).
 * @returns those that it has made, the outermost first
 * @throws what the system says
 */
export function makeFolder(folder: string): readonly string[] {
  if (isFolder(folder)) return [];
  const above = dirname(folder);
  const made = above === folder ? [] : makeFolder(above);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!isFolder(folder)) throw error;
    return made;
  }
  return [...made, folder];
}

/** What root makes, by a command by hand for example, must stay usable for the service whose folder it is. */
export function giveToOwnerOf(folder: string, made: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  // Whoever may write in there may put a link in a file's place: what it points at stays whose it is.
  for (const each of made) if (existsSync(each)) lchownSync(each, uid, gid);
}

/** The folder with all that is missing above it, for the owner of what was there already. @throws what the system says */
export function makeOwnersFolder(folder: string): void {
  const made = makeFolder(folder);
  const [first] = made;
  if (first !== undefined) giveToOwnerOf(dirname(first), made);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
