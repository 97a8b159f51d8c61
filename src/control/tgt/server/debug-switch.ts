import { LOG_LEVELS, type LogLevel } from "../../../util/log.ts";

/** How tgt's word "debug" becomes the level of the log. */
export interface DebugSwitch {
  /** Whether it was on from the start. */
  readonly isOn: boolean;
  readonly turn: (isOn: boolean) => void;
}

/** The level of a log that is at the least as talkative as "debug" while that is on, and as usual otherwise. */
export function debugLevel(usual: LogLevel, isOn: boolean): LogLevel {
  const isTalkative = LOG_LEVELS.indexOf(usual) <= LOG_LEVELS.indexOf("debug");
  return isOn && !isTalkative ? "debug" : usual;
}

/** Turns the level of a log, and back to what is usual. */
export function debugSwitch(
  usual: LogLevel,
  isOn: boolean,
  setLevel: (level: LogLevel) => void,
): DebugSwitch {
  return { isOn, turn: (next) => setLevel(debugLevel(usual, next)) };
}
