/** Where those wait who want to know something of their own: few are served at a time, and not many may wait. */

export interface DeskLine {
  /** "busy": too many wait already, or who asked has hung up before its turn. */
  serve<T>(account: string, work: () => Promise<T>, gone?: AbortSignal): Promise<T | "busy">;
}

/** To who was not served. */
export const BUSY = "too many ask at this moment; ask again in a second";

const AT_ONCE = 4;
const MOST_WAITING = 16;

/** Each account has a line of its own: one that does not answer must not keep those of the others waiting. */
export function openDeskLine(): DeskLine {
  const lines = new Map<string, Turns>();
  return {
    serve: async (account, work, gone) => {
      const turns = lines.get(account) ?? createTurns();
      lines.set(account, turns);
      if (!(await turns.begin(gone))) return "busy";
      try {
        return await work();
      } finally {
        turns.end();
      }
    },
  };
}

interface Turns {
  /** False: there will be none. */
  begin(gone: AbortSignal | undefined): Promise<boolean>;
  end(): void;
}

function createTurns(): Turns {
  const waiting = new Set<() => void>();
  let served = 0;
  return {
    begin: async (gone) => {
      if (gone?.aborted === true) return false;
      if (served < AT_ONCE) {
        served += 1;
        return true;
      }
      if (waiting.size >= MOST_WAITING) return false;
      return new Promise((resolve) => {
        const settle = (isServed: boolean): void => {
          waiting.delete(begin);
          gone?.removeEventListener("abort", leave);
          resolve(isServed);
        };
        const begin = (): void => settle(true);
        const leave = (): void => settle(false);
        waiting.add(begin);
        gone?.addEventListener("abort", leave, { once: true });
      });
    },
    end: () => {
      const [next] = waiting;
      if (next === undefined) served -= 1;
      else next();
    },
  };
}
