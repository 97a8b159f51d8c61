import { failure, success, wrongUse, type Ending, type Surroundings } from "../ending.ts";
import { getopt, type GivenOption, takeText, type TextFields } from "../getopt.ts";
import { newDisc, newDisk } from "./new-disk.ts";
import { newTape } from "./new-tape.ts";
import { TGTIMG_OPTIONS, type ImageSettings } from "./options.ts";
import { showTape } from "./show-tape.ts";
import { TapeMedium } from "./tape-layout.ts";

const PROGRAM = "tgtimg";

/** The exit status for words that are no operation. */
const UNKNOWN_WORD_STATUS = 1;

/** Beginnings of what `--type` takes; upper and lower case are one, and what follows is not looked at. */
const TAPE_TYPES: readonly (readonly [word: string, mediumType: number])[] = [
  ["worm", TapeMedium.worm],
  ["clean", TapeMedium.clean],
  ["data", TapeMedium.data],
];

/**
 * Runs one command line of tgtimg. Never rejects.
 * @param now milliseconds since 1970, for the serial number of a tape
 */
export async function tgtimg(
  words: readonly string[],
  { calledAs, variables }: Surroundings,
  now: () => number = Date.now,
): Promise<Ending> {
  const isStrict = variables["POSIXLY_CORRECT"] !== undefined;
  const { given, fault, operands } = getopt(TGTIMG_OPTIONS, words, isStrict);
  const settings: ImageSettings = {
    operation: undefined,
    device: "tape",
    isThin: false,
    barcode: undefined,
    size: undefined,
    type: undefined,
    file: undefined,
  };
  for (const option of given) {
    if (option.letter === "h") return success((await import("./help.ts")).TGTIMG_HELP);
    const ending = applyOption(settings, option);
    if (ending !== undefined) return ending;
  }
  if (fault !== undefined) {
    return wrongUse(PROGRAM, `${calledAs}: ${fault}\n${PROGRAM}: unrecognized option '(null)'`);
  }
  const [operand] = operands;
  if (operand !== undefined) return wrong(`unrecognized option '${operand}'`);
  if (settings.operation === undefined) return wrong("specify the operation type");
  if (settings.file === undefined) return wrong("specify a newly created file");
  if (settings.operation === "new") return newImage(settings, settings.file, now);
  return settings.device === "tape" ? showTape(settings.file) : wrong("unknown the operation type");
}

function wrong(words: string): Ending {
  return wrongUse(PROGRAM, `${PROGRAM}: ${words}`);
}

const TEXT_FIELDS: TextFields<ImageSettings> = new Map([
  ["b", "barcode"],
  ["s", "size"],
  ["t", "type"],
  ["f", "file"],
]);

function applyOption(settings: ImageSettings, option: GivenOption): Ending | undefined {
  if (takeText(settings, TEXT_FIELDS, option)) return undefined;
  const { letter, value } = option;
  switch (letter) {
    case "o":
      if (value !== "new" && value !== "show") {
        return failure(`${PROGRAM}: unknown operation: ${value}`, UNKNOWN_WORD_STATUS);
      }
      settings.operation = value;
      return undefined;
    case "Y":
      if (value !== "tape" && value !== "disk" && value !== "cd") {
        return failure(`${PROGRAM}: unknown target type: ${value}`);
      }
      settings.device = value;
      return undefined;
    default:
      settings.isThin = true;
      return undefined;
  }
}

function newImage(
  settings: ImageSettings,
  file: string,
  now: () => number,
): Ending | Promise<Ending> {
  const { device, type, size, barcode, isThin } = settings;
  switch (device) {
    case "tape": {
      if (type === undefined) return wrong("Missing media type: WORM, CLEAN or DATA");
      const medium = TAPE_TYPES.find(([word]) => startsWith(type, word));
      if (medium === undefined) {
        return wrong("Media type must be WORM, CLEAN or DATA for tape devices");
      }
      if (barcode === undefined) return wrong("Missing the barcode param");
      if (size === undefined) return wrong("Missing the capacity param");
      const seconds = Math.floor(now() / 1000);
      return newTape({ mediumType: medium[1], barcode, size, file, seconds });
    }
    case "disk":
      if (type === undefined) return wrong("Missing media type: DISK");
      if (!startsWith(type, "disk")) return wrong("Media type must be DISK for disk devices");
      if (size === undefined) return wrong("Missing the capacity param");
      return newDisk(file, size, isThin);
    case "cd":
      if (type === undefined) return wrong("Missing media type: DVD+R");
      if (!startsWith(type, "dvd+r")) return wrong("Media type must be DVD+R for cd devices");
      return newDisc(file);
  }
}

function startsWith(type: string, word: string): boolean {
  return type.toLowerCase().startsWith(word);
}
