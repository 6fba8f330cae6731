/** The log: JSON lines to stderr (readable ones on a terminal), with no secret in them. */
import { createRequire } from "node:module";
import { type Logger, pino, stdTimeFunctions } from "pino";
import type { prettyFactory } from "pino-pretty";
import { maskSecrets } from "./mask.js";
import { scrubSecrets } from "./secrets.js";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type Log = Logger;

export interface LogOptions {
  readonly level: LogLevel;
  /** Reports go to stdout, so this is stderr. */
  readonly stream: { write(text: string): unknown };
  /** For people: coloured lines instead of JSON. */
  readonly pretty: boolean;
  /** Default true; only pretty lines are coloured. */
  readonly color?: boolean;
  /** Asked at each line: secrets that are registered later are hidden too. */
  readonly secrets: () => readonly string[];
}

/**
 * Two nets: fields are blanked by their name at any depth, and the finished line is searched for the secrets
 * themselves, because text from elsewhere can carry one in any field.
 */
export function createLog(options: LogOptions): Log {
  const readable = options.pretty ? readableLines(options.color ?? true) : null;
  const destination = {
    write(line: string): void {
      // Once more from the line: what a child logger is bound to passes no formatter.
      const whole = `${JSON.stringify(maskSecrets(JSON.parse(line)))}\n`;
      options.stream.write(scrubSecrets(readable === null ? whole : readable(whole), options.secrets()));
    },
  };
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      // Errors are cut down by `masked`; pino's own serializer would copy their other fields.
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }), log: masked },
    },
    destination,
  );
}

/** Loaded only where a person reads along. */
function readableLines(colorize: boolean): (line: string) => string {
  const pretty = createRequire(import.meta.url)("pino-pretty") as { readonly prettyFactory: typeof prettyFactory };
  return pretty.prettyFactory({ colorize, ignore: "pid,hostname" });
}

function masked(fields: object): Record<string, unknown> {
  return maskSecrets({ ...fields }) as Record<string, unknown>;
}
