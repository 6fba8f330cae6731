/** Waits for what the sidecar tells: whole passes, or that something has become true. */
import type { EventHub } from "./desk.js";

export interface Waiting {
  /** Resolves when each of the accounts has ended a pass over everything that began from now on, or after the time. */
  wholePasses(accounts: readonly string[], mostMs: number): Promise<void>;
  /** True as soon as it holds after a pass; false after the time. */
  until(holds: () => boolean, mostMs: number): Promise<boolean>;
}

export function awaitLooks(events: EventHub): Waiting {
  function wait(mostMs: number, isOver: (event: { kind: string; data: Readonly<Record<string, unknown>> }) => boolean) {
    return new Promise<boolean>((resolve) => {
      const end = (answer: boolean): void => {
        clearTimeout(timer);
        leave();
        resolve(answer);
      };
      const leave = events.listen((event) => {
        if (isOver(event)) end(true);
      });
      const timer = setTimeout(() => end(false), mostMs);
      // Nobody must be kept alive by waiting for a sidecar that was closed meanwhile.
      timer.unref();
    });
  }

  return {
    wholePasses: async (accounts, mostMs) => {
      const left = new Set(accounts);
      const started = new Set<string>();
      if (left.size === 0) return;
      await wait(mostMs, ({ kind, data }) => {
        const { account, whole, state } = data;
        if (kind !== "pass" || whole !== true || typeof account !== "string") return false;
        if (state === "started") started.add(account);
        else if (started.has(account)) left.delete(account);
        return left.size === 0;
      });
    },
    until: async (holds, mostMs) => holds() || wait(mostMs, ({ kind }) => kind === "pass" && holds()),
  };
}
