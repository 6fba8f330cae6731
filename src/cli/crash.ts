/** What no handler has caught: told without a trace of the request that it came from, and never with 0. */

type OnCrash = (error: unknown) => void;

let current: OnCrash | null = null;

/**
 * A rejection that nobody awaits comes here too. Who holds something that must be put away first takes over; what it
 * answers with gives it back.
 */
export function onCrash(handle: OnCrash): () => void {
  const before = current;
  if (before === null) process.on("uncaughtException", (error) => current?.(error));
  current = handle;
  return () => {
    current = before ?? handle;
  };
}
