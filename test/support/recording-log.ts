import type { Log, LogFields, LogLevel } from "../../src/util/log.ts";

/** One line that was logged, with the fields of all its ancestors. */
export interface LogLine {
  readonly level: LogLevel;
  readonly fields: LogFields;
  readonly message: string;
}

/** A log that keeps its lines, `linesMax` at the most, for tests that ask what was said. */
export function recordingLog(lines: LogLine[], fields: LogFields = {}, linesMax = 10_000): Log {
  const at =
    (level: LogLevel) =>
    (own: LogFields, message: string): void => {
      if (lines.length < linesMax) lines.push({ level, fields: { ...fields, ...own }, message });
    };
  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    isLevelEnabled: () => true,
    child: (own) => recordingLog(lines, { ...fields, ...own }, linesMax),
  };
}
