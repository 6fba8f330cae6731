/** Where a report goes: stdout or a file, in the format asked for. */
import { randomBytes } from "node:crypto";
import { open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { exitCode, type FailOn, type Format, type Report, render } from "../report/index.js";
import { scrub, scrubValue } from "../runtime/index.js";
import { type Console, NO_ROOM } from "./console.js";
import { Refusal } from "./exit.js";

export interface ReportOptions {
  readonly format?: Format;
  readonly output?: string;
  readonly failOn: FailOn;
}

/** What only the person at the terminal needs to know. */
export interface Telling {
  readonly isDryRun?: boolean;
  /** Accounts whose positions that person has seen a moment ago, as they still are. */
  readonly toldAlready?: ReadonlySet<string>;
}

/** As other tools have it. */
const STDOUT = "-";

/** Before anything is sent: what was done must not end unreported. */
export async function assertDeliverable({ output }: ReportOptions): Promise<void> {
  if (output === undefined || output === STDOUT) return;
  await orRefusal(output, async () => {
    if (output === "") throw new Error("it names no file");
    const place = await placeOf(output);
    if (place.kind === "device") return;
    await rm(await writeDraft(place.file, "", PRIVATE));
  });
}

/** Prints or writes the report and answers with the command's exit code; what cannot be written is printed. */
export async function deliver(
  report: Report,
  options: ReportOptions,
  console: Console,
  telling: Telling = {},
): Promise<number> {
  const output = options.output === STDOUT ? undefined : options.output;
  const shown = scrubValue(report);
  const note = telling.isDryRun === true ? { note: "Dry run: nothing was sent." } : {};
  const format = options.format ?? (console.outIsTerminal && output === undefined ? "table" : "json");
  console.clearProgress();
  const code = exitCode(report, options.failOn);
  if (output === undefined) {
    const isSeen = console.outIsTerminal && format === "table";
    const rest = isSeen ? withoutPositionsOf(shown, telling.toldAlready ?? new Set()) : shown;
    console.out(render(rest, format, { color: console.color, width: console.width, ...note }));
    return code;
  }
  const text = scrub(render(shown, format, { color: false, width: console.width, ...note }));
  try {
    await writeWhole(output, text);
    return code;
  } catch (error) {
    console.err(`backstop: ${problemWith(output, error)}; the report is printed instead.\n`);
    console.out(text);
    return code === 0 ? 1 : code;
  }
}

/** The sums stay those of all. */
function withoutPositionsOf(report: Report, accounts: ReadonlySet<string>): Report {
  return { ...report, positions: report.positions.filter(({ account }) => !accounts.has(account)) };
}

/** Never leaves half a report behind: a reader sees the old file or the new one. */
async function writeWhole(output: string, text: string): Promise<void> {
  const place = await placeOf(output);
  if (place.kind === "device") return writeFile(place.file, text);
  const draft = await writeDraft(place.file, text, place.mode);
  try {
    await rename(draft, place.file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** On the disk, beside the file, and under a name that nobody can guess: in a shared folder, a link could lie there. */
async function writeDraft(file: string, text: string, mode: number): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString("hex")}.part`;
  const handle = await open(draft, "wx", PRIVATE);
  try {
    await handle.writeFile(text);
    if (mode !== PRIVATE) await handle.chmod(mode);
    await handle.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return draft;
}

/** A report tells what somebody owns; who has let others read the file before wants that still. */
const PRIVATE = 0o600;

interface Place {
  readonly kind: "file" | "device";
  readonly file: string;
  readonly mode: number;
}

/** Behind links, so that the link stays; a pipe or device is written to and never replaced. */
async function placeOf(output: string): Promise<Place> {
  const found = await stat(output).catch(() => null);
  if (found === null) return { kind: "file", file: output, mode: PRIVATE };
  if (found.isDirectory()) throw new Error(REASONS.get("EISDIR"));
  const mode = found.mode & 0o777;
  return found.isFile() ? { kind: "file", file: await realpath(output), mode } : { kind: "device", file: output, mode };
}

async function orRefusal(output: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const allowed = "a file in a folder that exists and that this user may write to";
    throw new Refusal(`${problemWith(output, error)}; allowed: ${allowed}.`);
  }
}

function problemWith(output: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = REASONS.get(code) ?? (error instanceof Error ? error.message : "unknown reason");
  return `--output: ${JSON.stringify(output)} cannot be written: ${why}`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "the folder does not exist"],
  ["ENOTDIR", "its folder is a file"],
  ["EISDIR", "it is a folder"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EROFS", "the file system is read-only"],
  ...NO_ROOM,
]);
