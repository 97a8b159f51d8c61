import { type Logger, pino } from "pino";
import { LogFormatter } from "./log-formatter.ts";
import { LogWriter, nonBlocking } from "./log-writer.ts";

/** From the loudest to the quietest; "silent" is none at all. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line says besides its message. Values are for machines: names of units belong in the keys. */
export type LogFields = Readonly<Record<string, unknown>>;

type LogMethod = (fields: LogFields, message: string) => void;

/**
 * Where the program says what happens. The level can change while it runs, for the log and all its children. A line below it costs a
 * comparison; where even its arguments cost something, ask `isLevelEnabled` first.
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
  /** Writes what still waits, and each line from here on, before the call for it returns: the process ends at once. */
  readonly endsNow: () => void;
  /** From here on, for the log and all its children. */
  readonly setLevel: (level: LogLevel) => void;
}

/** From which value on lines are written: what all logs of a process share. */
interface Threshold {
  value: number;
}

const VALUES = pino.levels.values as Readonly<Record<Exclude<LogLevel, "silent">, number>>;

function valueOf(level: LogLevel): number {
  return level === "silent" ? Infinity : VALUES[level];
}

/** A log whose level is that of all others that came from the same one. */
class SwitchedLog implements Log {
  readonly #lines: Logger;
  readonly #threshold: Threshold;

  constructor(lines: Logger, threshold: Threshold) {
    this.#lines = lines;
    this.#threshold = threshold;
  }

  trace(fields: LogFields, message: string): void {
    if (this.#threshold.value <= VALUES.trace) this.#lines.trace(fields, message);
  }

  debug(fields: LogFields, message: string): void {
    if (this.#threshold.value <= VALUES.debug) this.#lines.debug(fields, message);
  }

  info(fields: LogFields, message: string): void {
    if (this.#threshold.value <= VALUES.info) this.#lines.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    if (this.#threshold.value <= VALUES.warn) this.#lines.warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    if (this.#threshold.value <= VALUES.error) this.#lines.error(fields, message);
  }

  fatal(fields: LogFields, message: string): void {
    if (this.#threshold.value <= VALUES.fatal) this.#lines.fatal(fields, message);
  }

  isLevelEnabled(level: LogLevel): boolean {
    return this.#threshold.value <= valueOf(level);
  }

  child(fields: LogFields): Log {
    return new SwitchedLog(this.#lines.child(fields), this.#threshold);
  }
}

interface Destination {
  readonly write: (line: string) => void;
  readonly flush: () => void;
  readonly endsNow: () => void;
}

function destination(write: LogOptions["write"]): Destination {
  if (write !== undefined) return { write, flush: () => undefined, endsNow: () => undefined };
  const describeLoss = (lineCount: number): string =>
    `${JSON.stringify({ level: "warn", lineCount, msg: "lines of the log were lost" })}\n`;
  const writer = new LogWriter(nonBlocking(STANDARD_OUTPUT), { describeLoss });
  return {
    write: (line) => writer.write(line),
    flush: () => writer.flush(),
    endsNow: () => writer.endsNow(),
  };
}

/** Opens the log. Everything that the process logs goes through the one that this returns, and its children. */
export function openLog(options: LogOptions): LogOutput {
  const output = destination(options.write);
  const formatter = new LogFormatter();
  const write = options.pretty
    ? (line: string): void => output.write(formatter.format(line))
    : (line: string): void => output.write(line);
  const lines = pino(
    {
      level: "trace",
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
  const threshold = { value: valueOf(options.level) };
  return {
    log: new SwitchedLog(lines, threshold),
    flush: output.flush,
    endsNow: output.endsNow,
    setLevel: (level) => (threshold.value = valueOf(level)),
  };
}

/** A log that says nothing, for tests and for parts that run without one. */
export const silentLog: Log = pino({ level: "silent", enabled: false });
