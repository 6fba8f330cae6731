/** Runs the built sidecar beside a simulated exchange, and awaits what it logs and what the exchange holds. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "vitest";
import { createHeard, type Heard } from "../stream/stage.js";
import { PROGRAM } from "./cli.js";
import type { Stage } from "./stage.js";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

export interface RunningSidecar {
  readonly logged: Heard<LogLine>;
  readonly process: ChildProcess;
  /** Everything written to stdout and stderr. */
  output(): string;
  /** The next line with this message. */
  says(message: string | RegExp): Promise<LogLine>;
  /** Where the HTTP API is served; said before or after anything else, so that no other line is passed over. */
  url(): Promise<string>;
  /** The stream is live, everything was looked at after it, and the pass that did so is over. */
  watching(): Promise<void>;
  /** Ends it by a signal; resolves to its exit code, or the signal that killed it. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export function startRun(
  context: TestContext,
  { config, folder }: Pick<Stage, "config" | "folder">,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): RunningSidecar {
  const child = spawn(process.execPath, [PROGRAM, "run", "--config", config, "--log-level", "debug", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const logged = createHeard<LogLine>();
  const served = createHeard<LogLine>();
  let text = "";
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) hear(JSON.parse(line) as LogLine);
  });
  const hear = (line: LogLine): void => {
    if (line.msg === "listening") served.add(line);
    logged.add(line);
  };
  const url = served.next(() => true).then((line) => String(line["url"]));
  const exited = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  context.onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await exited;
  });
  const says = (message: string | RegExp) =>
    logged.next(({ msg }) => (typeof message === "string" ? msg === message : message.test(msg)));
  return {
    logged,
    process: child,
    output: () => text,
    says,
    url: () => url,
    watching: async () => {
      await says(/a missing stop is noticed as it is pushed$/);
      await logged.next(({ msg, whole }) => msg === "pass complete" && whole === true);
    },
    end: async (signal = "SIGTERM") => {
      child.kill(signal);
      const [code, killedBy] = await exited;
      return code ?? killedBy;
    },
  };
}

type Row = Readonly<Record<string, unknown>>;

export interface ExchangeEvents {
  /** From the call on, the next moment at which a Full stop of this contract begins to rest; its trigger price. */
  stopRests(symbol: string): Promise<string>;
}

/** Listens to what the exchange itself does, before anybody is told. */
export function listenTo({ exchange }: Pick<Stage, "exchange">): ExchangeEvents {
  const rows = createHeard<Row>();
  exchange.onPush(({ topic, row }) => {
    if (topic === "order") rows.add(row);
  });
  return {
    stopRests: async (symbol) => {
      rows.skip();
      const row = await rows.next(
        (one) =>
          one["symbol"] === symbol && one["stopOrderType"] === "StopLoss" && one["orderStatus"] === "Untriggered",
      );
      return String(row["triggerPrice"]);
    },
  };
}
