/** Watches the intents file by looking at it again and again: what is not whole and valid changes nothing. */
import { LedgerError } from "../ledger/port.js";
import { readIntentsFile } from "./file-form.js";
import type { FileContent, FileKeeper, FileNews } from "./file-keeper.js";

export interface FileStamp {
  /** Milliseconds since 1970. */
  readonly mtimeMs: number;
  readonly size: number;
  /** Differs whenever the file has been written or replaced. */
  readonly text: string;
}

/** What is refused rejects with an error that says why. */
export interface FileReader {
  /** Null: there is none. */
  stamp(path: string): Promise<FileStamp | null>;
  read(path: string): Promise<string>;
}

export interface FileWatchParts {
  /** Null: none is to be watched. */
  readonly path: () => string | null;
  readonly files: FileReader;
  readonly keeper: FileKeeper;
  /** All of the config, as it was read last. */
  readonly accountNames: () => readonly string[];
  readonly tell: (news: FileNews) => void;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back once after so many milliseconds; the returned function calls it off. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

export interface FileWatch {
  /** No further look is begun; resolves when the one under way has ended. */
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
/** Written again within so short a time, a file may bear the same stamp. */
const SETTLED_AFTER_MS = 2_000;
const MOST_BYTES = 1_000_000;

interface Read {
  readonly stamp: string;
  readonly isSettled: boolean;
  /** Null: not valid. */
  readonly content: FileContent | null;
}

export function watchFile({ path, files, keeper, accountNames, tell, now, after }: FileWatchParts): FileWatch {
  let read: Read | null = null;
  let toldInvalid: string | null = null;
  let toldUnwritten: string | null = null;
  let isClosed = false;
  let callOff: () => void = () => undefined;
  let looking = look();

  async function look(): Promise<void> {
    await once();
    if (isClosed) return;
    callOff = after(LOOK_EVERY_MS, () => {
      looking = look();
    });
  }

  async function once(): Promise<void> {
    const file = path();
    if (file === null) return void (read = null);
    const content = await contentOf(file);
    if (content === null || isClosed) return;
    try {
      await keeper.settle(content);
      toldUnwritten = null;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      if (toldUnwritten !== error.message) tell({ kind: "unwritten", reason: error.message });
      toldUnwritten = error.message;
    }
  }

  async function contentOf(file: string): Promise<FileContent | null> {
    let stamp: FileStamp | null;
    let text: string;
    try {
      stamp = await files.stamp(file);
      if (stamp === null) return invalid(file, "", ["there is no such file"]);
      if (read?.isSettled === true && read.stamp === stampText(file, stamp, accountNames())) return read.content;
      if (stamp.size > MOST_BYTES) return invalid(file, stamp.text, [`it is larger than ${MOST_BYTES} bytes`]);
      text = await files.read(file);
      // It is being written: the next look will see more.
      if ((await files.stamp(file))?.text !== stamp.text) return null;
    } catch (error) {
      return invalid(file, "", [`it cannot be read: ${error instanceof Error ? error.message : "no reason given"}`]);
    }
    return taken(file, stamp, text);
  }

  function taken(file: string, stamp: FileStamp, text: string): FileContent | null {
    const names = accountNames();
    const stampNow = stampText(file, stamp, names);
    const reading = readIntentsFile(text, names);
    const isSettled = now() - stamp.mtimeMs > SETTLED_AFTER_MS;
    const isNew = read?.stamp !== stampNow || read.content === null;
    read = { stamp: stampNow, isSettled, content: null };
    if (reading.kind === "invalid") return invalid(file, stamp.text, reading.problems);
    toldInvalid = null;
    const strangers = reading.entries.filter(({ key }) => !names.includes(key.account));
    if (isNew) tell({ kind: "read", intents: reading.entries.length, strangers });
    const content = { entries: reading.entries, writtenAtMs: stamp.mtimeMs };
    read = { ...read, content };
    return content;
  }

  function invalid(file: string, stamp: string, problems: readonly string[]): null {
    const told = JSON.stringify([file, stamp, problems]);
    if (told !== toldInvalid) tell({ kind: "invalid", problems });
    toldInvalid = told;
    return null;
  }

  return {
    close: async () => {
      isClosed = true;
      callOff();
      await looking;
    },
  };
}

/** Whom an entry is for goes by the names as well. */
function stampText(file: string, { text }: FileStamp, names: readonly string[]): string {
  return [file, text, ...names].join(" ");
}
