import {
  DEVICE_TYPES,
  MODES,
  NO_LUN,
  NO_TARGET_ID,
  OPERATIONS,
} from "../../../control/tgt/request.ts";
import { parseInteger, type IntegerKind } from "../c-number.ts";
import { failure, wrongUse, type Ending } from "../ending.ts";
import type { GivenOption } from "../getopt.ts";
import { busName, hostOfBus } from "./bus.ts";
import type { Settings, TextLetter } from "./options.ts";

export const PROGRAM = "tgtadm";

/** The exit status for words that are no mode or no operation. */
const UNKNOWN_WORD_STATUS = 1;

/** Other names of modes, besides those of the protocol. */
const MODE_ALIASES: Readonly<Record<string, string>> = {
  sys: "system",
  tgt: "target",
  lu: "logicalunit",
  pt: "portal",
  sess: "session",
  conn: "connection",
};

export const TAPE = 1;

/** tgtadm keeps so many characters of a driver's name. */
const DRIVER_CHARACTERS_MAX = 64;

export function emptySettings(): Settings {
  return {
    mode: undefined,
    operation: undefined,
    driver: "",
    targetId: NO_TARGET_ID,
    sessionId: 0n,
    lun: NO_LUN,
    connectionId: 0,
    hostNumber: 0,
    deviceType: 0,
    isOutgoing: false,
    isForced: false,
    isDebug: false,
    controlPort: 0,
    texts: {},
    letters: [],
  };
}

/** Takes one option into the settings. The last of several counts. Returns the end where its word is wrong. */
export function applyOption(
  settings: Settings,
  { letter, value }: GivenOption,
): Ending | undefined {
  settings.letters.push(letter);
  return applyNumber(settings, letter, value) ?? applyWord(settings, letter, value);
}

/** What is done with the number behind each of these letters. */
const NUMBERS: ReadonlyMap<string, readonly [IntegerKind, (to: Settings, value: bigint) => void]> =
  new Map([
    ["t", ["int32", (to, value) => void (to.targetId = Number(value))]],
    ["s", ["uint64", (to, value) => void (to.sessionId = value)]],
    ["c", ["uint32", (to, value) => void (to.connectionId = Number(value))]],
    ["l", ["uint64", (to, value) => void (to.lun = value)]],
    ["H", ["uint32", (to, value) => void (to.hostNumber = Number(value))]],
    ["C", ["int16", (to, value) => void (to.controlPort = Number(value))]],
  ]);

function applyNumber(settings: Settings, letter: string, word: string): Ending | undefined {
  const number = NUMBERS.get(letter);
  if (number === undefined) return undefined;
  const [kind, put] = number;
  const value = parseInteger(word, kind);
  if (typeof value === "string") {
    return wrongUse(PROGRAM, `-${letter} argument value '${word}' ${value}`);
  }
  put(settings, value);
  return undefined;
}

function applyWord(settings: Settings, letter: string, word: string): Ending | undefined {
  switch (letter) {
    case "d":
      settings.isDebug = true;
      return undefined;
    case "F":
      settings.isForced = true;
      return undefined;
    case "O":
      settings.isOutgoing = true;
      return undefined;
    case "L":
      settings.driver = word.slice(0, DRIVER_CHARACTERS_MAX);
      return undefined;
    case "o":
      return applyOperation(settings, word);
    case "m":
      return applyMode(settings, word);
    case "Y":
      return applyDeviceType(settings, word);
    case "B":
      return applyBus(settings, word);
    default:
      if (!NUMBERS.has(letter)) settings.texts[letter as TextLetter] = word;
      return undefined;
  }
}

function applyOperation(settings: Settings, word: string): Ending | undefined {
  const operation = OPERATIONS.findIndex((name) => name === word);
  settings.operation = operation;
  if (operation !== -1) return undefined;
  return failure(`${PROGRAM}: unknown operation: ${word}`, UNKNOWN_WORD_STATUS);
}

function applyMode(settings: Settings, word: string): Ending | undefined {
  const name = MODE_ALIASES[word] ?? word;
  const mode = MODES.findIndex((each) => each === name);
  settings.mode = mode;
  if (mode !== -1) return undefined;
  return failure(`${PROGRAM}: unknown mode: ${word}`, UNKNOWN_WORD_STATUS);
}

function applyDeviceType(settings: Settings, word: string): Ending | undefined {
  const type = DEVICE_TYPES.get(word);
  if (type === undefined) return failure(`${PROGRAM}: unknown target type: ${word}`);
  settings.deviceType = type;
  return undefined;
}

function applyBus(settings: Settings, word: string): Ending | undefined {
  const host = hostOfBus(word);
  if (host === undefined) return failure(`${PROGRAM}: can't find bus: ${busName(word)}`);
  settings.hostNumber = host;
  return undefined;
}
