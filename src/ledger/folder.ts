/** The folder that state is kept in. */
import { mkdirSync, statSync } from "node:fs";
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

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
