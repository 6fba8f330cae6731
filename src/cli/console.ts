/** The terminal: what goes to stdout and stderr, in which colours, and questions to the person at it. */
import { fstatSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { scrub } from "../runtime/index.js";

export interface Console {
  /** Reports and answers; secrets are taken out. */
  out(text: string): void;
  /** Notes to the person; secrets are taken out. */
  err(text: string): void;
  /** Replaces itself on a terminal, is silent elsewhere. */
  progress(text: string): void;
  /** Takes the progress line away. */
  clearProgress(): void;
  /** `stop`: nobody waits for the answer any more; that is no. */
  ask(question: string, stop?: AbortSignal): Promise<boolean>;
  readonly outIsTerminal: boolean;
  /** A person is there to answer. */
  readonly isInteractive: boolean;
  /** A person is there, and would not see what is asked. */
  readonly isHalfInteractive: boolean;
  readonly color: boolean;
  readonly width: number;
}

const PLAIN_WIDTH = 120;

export function processConsole(): Console {
  const { stdin, stdout, stderr, env } = process;
  const lost = onceLost((text) => stderr.write(text));
  stdout.on("error", (error: NodeJS.ErrnoException) => survive(error, lost));
  // What cannot be told, as on a full disk, must not keep a position from being guarded or closed again.
  stderr.on("error", () => undefined);
  let hasProgress = false;
  const clearProgress = () => {
    if (hasProgress) stderr.write("\r\u001b[K");
    hasProgress = false;
  };
  return {
    out: (text) => {
      clearProgress();
      writeOut(scrub(text), lost);
    },
    err: (text) => {
      clearProgress();
      stderr.write(scrub(text));
    },
    progress: (text) => {
      if (!stderr.isTTY) return;
      stderr.write(`\r\u001b[K${scrub(text).slice(0, (stderr.columns || PLAIN_WIDTH) - 1)}`);
      hasProgress = true;
    },
    clearProgress,
    ask: async (question, stop) => {
      clearProgress();
      const lines = createInterface({ input: stdin, output: stderr });
      // Ctrl+C and Ctrl+D end the question, not the program: what was found so far is still reported.
      const asked = stop === undefined ? lines.question(question) : lines.question(question, { signal: stop });
      const answer = await asked.catch(() => "\n");
      lines.close();
      if (answer === "\n") stderr.write(answer);
      return /^y(es)?$/i.test(answer.trim());
    },
    outIsTerminal: stdout.isTTY,
    isInteractive: stdin.isTTY && stderr.isTTY,
    isHalfInteractive: stdin.isTTY && !stderr.isTTY,
    color: stdout.isTTY && !env["NO_COLOR"],
    width: stdout.isTTY ? stdout.columns || PLAIN_WIDTH : PLAIN_WIDTH,
  };
}

/** `| head` has seen enough, or the terminal was closed: that must not stop a pass half way. */
const LOST_READER = ["EPIPE", "EIO"];

/** Why a file takes no more, in words. */
export const NO_ROOM: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk has no more room for this user"],
  ["EFBIG", "the file may not become larger"],
]);

type Lost = (why: string) => void;

function survive(error: NodeJS.ErrnoException, lost: Lost): void {
  const code = error.code ?? "";
  const why = NO_ROOM.get(code);
  if (why !== undefined) lost(why);
  else if (!LOST_READER.includes(code)) throw error;
}

/** Whatever the code would say about what was found, nobody may take it for told: it is not 0. */
function onceLost(tell: (text: string) => void): Lost {
  let isTold = false;
  return (why) => {
    if (isTold) return;
    isTold = true;
    tell(`backstop: stdout cannot be written: ${why}; what was to be printed is lost, or cut short.\n`);
    process.once("exit", (code) => {
      if (code === 0) process.exitCode = 1;
    });
  };
}

/** To a file not by the stream, which takes the part that a full disk still took for the whole. */
function writeOut(text: string, lost: Lost): void {
  const { stdout } = process;
  if (!isFile(stdout.fd)) return void stdout.write(text);
  try {
    writeFileSync(stdout.fd, text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    survive(error, lost);
  }
}

/** False too where it cannot be told. */
function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}
