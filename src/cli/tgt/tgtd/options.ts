import { parseInteger } from "../c-number.ts";
import { failure, type Ending, wrongUse } from "../ending.ts";
import type { GivenOption, OptionSpec } from "../getopt.ts";

export const PROGRAM = "tgtd";

/** The options of tgtd 1.0.85 in its order, and behind them those of this daemon alone, which have no letter to type. */
export const TGTD_OPTIONS: readonly OptionSpec[] = [
  { letter: "f", long: "foreground", shape: "flag" },
  { letter: "D", long: "nodaemonize", shape: "flag" },
  { letter: "C", long: "control-port", shape: "value" },
  { letter: "t", long: "nr_iothreads", shape: "value" },
  { letter: "p", long: "pid-file", shape: "value" },
  { letter: "d", long: "debug", shape: "value" },
  { letter: "V", long: "version", shape: "flag" },
  { letter: "h", long: "help", shape: "flag" },
  { letter: "I", long: "iscsi", shape: "value", letterShape: "none" },
  { letter: "R", long: "iser", shape: "value", letterShape: "none" },
  { letter: "S", long: "state-dir", shape: "value", letterShape: "none" },
  { letter: "O", long: "config", shape: "value", letterShape: "none" },
];

export interface TgtdSettings {
  isForeground: boolean;
  isDebug: boolean;
  controlPort: number;
  pidFile: string | undefined;
  /** ADDRESS:PORT each; none: the default ones. */
  portals: string[];
  stateDir: string | undefined;
  configFile: string | undefined;
}

export function emptySettings(): TgtdSettings {
  return {
    isForeground: false,
    isDebug: false,
    controlPort: 0,
    pidFile: undefined,
    portals: [],
    stateDir: undefined,
    configFile: undefined,
  };
}

/** ERANGE: numbers that are none for the option. */
const RANGE_STATUS = 34;

/** A number of an option, within bounds, or how tgtd ends. */
function numberOf({ letter, value }: GivenOption, low: number, high: number): number | Ending {
  const refuse = (fault: string): Ending =>
    wrongUse(PROGRAM, `-${letter} argument value '${value}' ${fault}`);
  const number = parseInteger(value, "uint64");
  if (number === "invalid") return refuse("invalid");
  if (number === "out of range" || number < BigInt(low) || number > BigInt(high)) {
    return { ...refuse("out of range"), status: RANGE_STATUS };
  }
  return Number(number);
}

const CONTROL_PORT_MAX = 0x7fff;
const INT_MAX = 0x7fff_ffff;

/** Takes up one option; what it gives is how tgtd ends because of it. */
export function applyOption(settings: TgtdSettings, option: GivenOption): Ending | undefined {
  const { letter, value } = option;
  switch (letter) {
    case "f":
    case "D":
      settings.isForeground = true;
      return undefined;
    case "C":
      return taken(numberOf(option, 0, CONTROL_PORT_MAX), (port) => (settings.controlPort = port));
    case "t":
      // Threads are not what this daemon makes I/O with.
      return taken(numberOf(option, 1, INT_MAX), () => undefined);
    case "d":
      return taken(numberOf(option, 0, 1), (level) => (settings.isDebug = level > 0));
    case "p":
      settings.pidFile = value;
      return undefined;
    case "S":
      settings.stateDir = value;
      return undefined;
    case "O":
      settings.configFile = value;
      return undefined;
    case "I":
      return applyIscsi(settings, value);
    default:
      return undefined;
  }
}

function taken(number: number | Ending, take: (number: number) => unknown): Ending | undefined {
  if (typeof number !== "number") return number;
  take(number);
  return undefined;
}

/** `portal=IP:PORT`, several behind commas; the intervals of NOP-Ins are this daemon's own, so they are passed over. */
function applyIscsi(settings: TgtdSettings, text: string): Ending | undefined {
  for (const part of text.split(",")) {
    const [key, value = ""] = part.split(/=(.*)/s);
    if (key !== "portal" || value === "") continue;
    if (value.startsWith(":")) settings.portals.push(`0.0.0.0${value}`);
    else settings.portals.push(value);
  }
  return undefined;
}

/** What tgtd says of a command line that getopt stumbles over: of unknown words their name, of the rest nothing. */
export function faultEnding(fault: string): Ending {
  const unknown = /^unrecognized option '--(.*)'$/s.exec(fault)?.[1];
  const help = `Try \`${PROGRAM} --help' for more information.`;
  const line = unknown === undefined ? help : `'${unknown}' is an unknown option\n${help}`;
  return failure(line, 1);
}
