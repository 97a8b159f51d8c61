import { parseInteger } from "../c-number.ts";
import { failure, type Ending, wrongUse } from "../ending.ts";
import { type GivenOption, type OptionSpec, takeText, type TextFields } from "../getopt.ts";

export const PROGRAM = "tgtd";

/** Those of drivers, and of this daemon alone, have no letter to type, and no beginning of theirs is an option. */
const WHOLE = { letterShape: "none", isWhole: true } as const;

/** The options of tgtd 1.0.85 in its order, and behind them those of this daemon alone. */
export const TGTD_OPTIONS: readonly OptionSpec[] = [
  { letter: "f", long: "foreground", shape: "flag" },
  { letter: "D", long: "nodaemonize", shape: "flag" },
  { letter: "C", long: "control-port", shape: "value" },
  { letter: "t", long: "nr_iothreads", shape: "value" },
  { letter: "p", long: "pid-file", shape: "value" },
  { letter: "d", long: "debug", shape: "value" },
  { letter: "V", long: "version", shape: "flag" },
  { letter: "h", long: "help", shape: "flag" },
  { letter: "I", long: "iscsi", shape: "value", leavesWord: true, ...WHOLE },
  { letter: "R", long: "iser", shape: "value", leavesWord: true, ...WHOLE },
  { letter: "S", long: "state-dir", shape: "value", ...WHOLE },
  { letter: "O", long: "config", shape: "value", ...WHOLE },
];

export interface TgtdSettings {
  isForeground: boolean;
  isDebug: boolean;
  controlPort: number;
  pidFile: string | undefined;
  /** ADDRESS:PORT each; none: the default ones. */
  portals: string[];
  /** `nop_interval` and `nop_count` for targets that say nothing else, as they were typed. */
  readonly nopOptions: Map<string, string>;
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
    nopOptions: new Map(),
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

const TEXT_FIELDS: TextFields<TgtdSettings> = new Map([
  ["p", "pidFile"],
  ["S", "stateDir"],
  ["O", "configFile"],
]);

/** Takes up one option; what it gives is how tgtd ends because of it. */
export function applyOption(settings: TgtdSettings, option: GivenOption): Ending | undefined {
  if (takeText(settings, TEXT_FIELDS, option)) return undefined;
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

const NOP_KEYS: readonly (string | undefined)[] = ["nop_interval", "nop_count"];

/** `portal=IP:PORT`, `nop_interval=SECONDS` and `nop_count=NUMBER`, several behind commas. All else is passed over, as by tgtd. */
function applyIscsi(settings: TgtdSettings, text: string): Ending | undefined {
  for (const part of text.split(",")) {
    const [key, value = ""] = part.split(/=(.*)/s);
    if (key !== undefined && NOP_KEYS.includes(key)) settings.nopOptions.set(key, value);
    if (key !== "portal" || value === "") continue;
    if (value.startsWith(":")) settings.portals.push(`0.0.0.0${value}`);
    else settings.portals.push(value);
  }
  return undefined;
}

/** What tgtd says of a word that getopt stumbles over: long options are unknown, whatever is wrong with them; of letters nothing. */
export function faultEnding(word: string): Ending {
  const help = `Try \`${PROGRAM} --help' for more information.`;
  const line = word.startsWith("--") ? `'${word.slice(2)}' is an unknown option\n${help}` : help;
  return failure(line, 1);
}
