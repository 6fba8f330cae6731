/** Waits for something no longer than it is worth; no timer is left behind that would keep the process. */

export const LATE = Symbol("late");

/** The work goes on in any case. Rejects as it does, unless that comes too late to be told. */
export function within<T>(ms: number, work: Promise<T>): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(LATE), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
