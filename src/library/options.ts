/** What every function of the library takes: where the settings come from, and where the log goes. */
import {
  createLog,
  createNotifier,
  type Log,
  type LogLevel,
  type Notifier,
  registeredSecrets,
} from "../runtime/index.js";
import { type Ground, layGround } from "../service/ground.js";
import { type Config, type LoadOptions, loadSettings } from "../settings/index.js";

export interface Options {
  /**
   * Path of a config file (relative to `cwd`), or the same keys and values as an object, held against the same schema.
   * In an object a key may stand as it is; `${NAME}` and `file:PATH` work in both.
   * Default: the file that `$BACKSTOP_CONFIG` names, else `config/backstop.yaml`.
   */
  readonly config?: string | Config;
  /** Names of the accounts that are meant, at least one. Default: all of the config; the others need no key. */
  readonly accounts?: readonly string[];
  /** Where `${NAME}` is looked up. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths of a config object are below, and the path of a config file. Default: `process.cwd()`. */
  readonly cwd?: string;
  /** Default: nothing is logged. */
  readonly log?: LogSink;
}

export interface LogSink {
  /** Default `"info"`. */
  readonly level?: LogLevel;
  /** Called with each line: one JSON object with `level`, `time`, `msg` and facts, and a newline. No secret is in it. */
  write(line: string): unknown;
}

export interface Begun extends Ground {
  readonly from: LoadOptions;
}

/** @throws SettingsError with every problem that could be found */
export async function begin(options: Options): Promise<Begun> {
  const from = loadOptionsOf(options);
  const settings = await loadSettings(from);
  const ground = layGround({ settings, log: logTo(options.log), progress: () => undefined });
  return { ...ground, from };
}

/** A copy of the object: what its owner changes later does not count, not even when keys are read anew. */
function loadOptionsOf({ config, accounts, env = process.env, cwd = process.cwd() }: Options): LoadOptions {
  return {
    ...(typeof config === "object" ? { file: undefined, value: copyOf(config) } : { file: config }),
    ...(accounts === undefined ? {} : { accounts }),
    names: { file: "config", accounts: "accounts" },
    env,
    cwd,
  };
}

/** What cannot be copied is refused where it is read. */
function copyOf(config: Config): unknown {
  try {
    return structuredClone(config);
  } catch {
    return config;
  }
}

function logTo(sink: LogSink | undefined): Log {
  // A log that cannot be written must not end what it tells of, and there is nowhere to say so.
  const stream = {
    write: (line: string) => {
      void harmless(
        () => sink?.write(line),
        () => undefined,
      );
    },
  };
  const level = sink === undefined ? "silent" : (sink.level ?? "info");
  return createLog({ level, stream, pretty: false, secrets: registeredSecrets });
}

/** What a caller's function throws, or rejects with later, is told and goes no further. */
export async function harmless(work: () => unknown, tell: (error: unknown) => void): Promise<void> {
  try {
    await work();
  } catch (error) {
    tell(error);
  }
}

/** The service manager is told of a process by the program that owns it. */
export function silentNotifier(log: Log): Notifier {
  return createNotifier({ env: {}, pid: process.pid, log });
}
