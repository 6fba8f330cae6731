/** Node's inspector: whoever reaches it can read every secret of the process and run code in it. */
import { url } from "node:inspector";

/** Where one listens (`--inspect`, NODE_OPTIONS); null: none does. */
export function openInspector(): string | null {
  const address = url();
  // Its path is the password to it.
  return address === undefined ? null : new URL(address).host;
}

/** By default node opens one on SIGUSR1, whatever it was started with: from here on it does not. */
export function keepInspectorShut(tell: (signal: string) => void): void {
  process.on("SIGUSR1", tell);
}
