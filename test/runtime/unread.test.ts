/** The log on a terminal that nobody reads. */
import { expect, test } from "vitest";
import { leavingOut } from "../../src/runtime/index.js";

/** Holds what was written until it is read. */
function aTerminal() {
  const written: string[] = [];
  let waiting = 0;
  return {
    written,
    write: (text: string) => {
      written.push(text);
      waiting += text.length;
    },
    read: () => {
      waiting = 0;
    },
    get writableLength() {
      return waiting;
    },
  };
}

test("is written whole while somebody reads", () => {
  const terminal = aTerminal();
  const log = leavingOut(terminal, 10);
  for (const line of ["first line\n", "second line\n"]) {
    log.write(line);
    terminal.read();
  }
  expect(terminal.written).toEqual(["first line\n", "second line\n"]);
});

test("leaves out what comes while too much waits, and tells once how many lines that were", () => {
  const terminal = aTerminal();
  const log = leavingOut(terminal, 10);
  for (const line of ["a long line\n", "left out\n", "left out as well\n"]) log.write(line);
  expect(terminal.written).toEqual(["a long line\n"]);
  terminal.read();
  log.write("read\n");
  const told = "2 lines of the log were left out: nobody read along\n";
  expect(terminal.written.slice(1)).toEqual([told, "read\n"]);
});
