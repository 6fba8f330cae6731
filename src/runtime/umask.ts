/** File modes of the process: what it creates, nobody else can read. */

/** From here on new files are 0600 and new folders 0700, also those made by native libraries. */
export function keepNewFilesPrivate(): void {
  process.umask(0o077);
}
