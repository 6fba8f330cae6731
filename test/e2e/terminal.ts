/** Runs the program on a pseudo terminal, as a person would, by way of util-linux's `script`. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { PROGRAM } from "./cli.js";

/** Why there is no pseudo terminal on this machine, for the name of a skipped test; null: there is. */
export const noTerminal: string | null = String(spawnSync("script", ["--version"]).stdout).includes("util-linux")
  ? null
  : " (skipped: `script` of util-linux is not installed)";

export interface Session {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Typed when the question comes. */
  readonly answer?: string;
  /** Appended to the shell's command line: `2>log`. */
  readonly redirect?: string;
}

export interface Screen {
  readonly code: number | null;
  /** Everything that a person sees, escapes included. */
  readonly text: string;
}

export async function onTerminal(args: readonly string[], session: Session): Promise<Screen> {
  const quoted = [process.execPath, PROGRAM, ...args].map((part) => `'${part}'`).join(" ");
  const env = { PATH: process.env["PATH"], TERM: "xterm", ...session.env };
  const command = ["-qec", `${quoted} ${session.redirect ?? ""}`, "/dev/null"];
  const terminal = spawn("script", command, { cwd: session.cwd, env });
  let text = "";
  let isAsked = false;
  terminal.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (isAsked || !text.includes("[y/N]")) return;
    isAsked = true;
    terminal.stdin.write(session.answer ?? "\n");
  });
  const [code] = (await once(terminal, "close")) as [number | null];
  return { code, text };
}
