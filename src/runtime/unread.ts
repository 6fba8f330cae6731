/** A terminal that nobody reads, stopped by Ctrl-S or behind a line that hangs: it must not stop who writes to it. */

export interface Terminal {
  write(text: string): unknown;
  /** What is still to be taken by whoever reads. */
  readonly writableLength: number;
}

/** Far more than a reader who is only slow ever leaves waiting. */
const MOST_WAITING_BYTES = 1_000_000;

/** Lines beyond the bound are left out until what waits has been read; how many is then told. */
export function leavingOut(terminal: Terminal, mostWaiting = MOST_WAITING_BYTES): Pick<Terminal, "write"> {
  let missing = 0;
  return {
    write: (line) => {
      const { writableLength: waiting } = terminal;
      if (waiting > (missing === 0 ? mostWaiting : mostWaiting / 2)) {
        missing += 1;
        return;
      }
      if (missing > 0) terminal.write(`${missing} lines of the log were left out: nobody read along\n`);
      missing = 0;
      terminal.write(line);
    },
  };
}

/** Node writes to a terminal without going on until it is read; it has no public way to say otherwise. */
export function unblock(stream: NodeJS.WriteStream): void {
  const { _handle: handle } = stream as {
    readonly _handle?: { readonly setBlocking?: (isBlocking: boolean) => unknown };
  };
  handle?.setBlocking?.(false);
}
