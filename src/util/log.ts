import { pino } from "pino";
import { LogFormatter } from "./log-formatter.ts";
import { LogWriter, nonBlocking } from "./log-writer.ts";

/** From the loudest to the quietest; "silent" is none at all. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line says besides its message. Values are for machines: names of units belong in the keys. */
export type LogFields = Readonly<Record<string, unknown>>;

type LogMethod = (fields: LogFields, message: string) => void;

/**
 * Where the program says what happens. A level that is off is an empty function; where even its arguments cost
 * something, ask `isLevelEnabled` first, once for a connection and not for each command.
 */
export interface Log {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  isLevelEnabled(level: LogLevel): boolean;
  /** A log that adds these fields to every line: one for each connection, target, logical unit. */
  child(fields: LogFields): Log;
}

/** Names of fields that are never written, at the top of a line and one level down. */
const SECRET_FIELDS = ["password", "secret", "mutualPassword", "mutualSecret", "CHAP_R"];

const REDACTED = "[redacted]";

const STANDARD_OUTPUT = 1;

export interface LogOptions {
  readonly level: LogLevel;
  /** For people instead of for machines. */
  readonly pretty: boolean;
  /** Where a line goes, with its line feed; the standard output where there is none. */
  readonly write?: (line: string) => void;
}

/** The log of the process, and what has to be called before it ends. */
export interface LogOutput {
  readonly log: Log;
  /** Writes what still waits. */
  readonly flush: () => void;
}

interface Destination {
  readonly write: (line: string) => void;
  readonly flush: () => void;
}

function destination(write: LogOptions["write"]): Destination {
  if (write !== undefined) return { write, flush: () => undefined };
  const describeLoss = (lineCount: number): string =>
    `${JSON.stringify({ level: "warn", lineCount, msg: "lines of the log were lost" })}\n`;
  const writer = new LogWriter(nonBlocking(STANDARD_OUTPUT), { describeLoss });
  return { write: (line) => writer.write(line), flush: () => writer.flush() };
}

/** Opens the log. Everything that the process logs goes through the one that this returns, and its children. */
export function openLog(options: LogOptions): LogOutput {
  const output = destination(options.write);
  const formatter = new LogFormatter();
  const write = options.pretty
    ? (line: string): void => output.write(formatter.format(line))
    : (line: string): void => output.write(line);
  const log: Log = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.errWithCause },
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
        censor: REDACTED,
      },
    },
    { write },
  );
  return { log, flush: output.flush };
}

/** A log that says nothing, for tests and for parts that run without one. */
export const silentLog: Log = pino({ level: "silent", enabled: false });
