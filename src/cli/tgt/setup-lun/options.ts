/** What tgt-setup-lun is asked for. */
export interface SetupWords {
  /** Empty where none is given, as all of these. */
  readonly name: string;
  readonly device: string;
  readonly bsType: string;
  readonly blockSize: string;
  readonly driver: string;
  readonly controlPort: string;
  readonly initiators: readonly string[];
  readonly wantsHelp: boolean;
  /** Complaints about options that are none. They do not end the command. */
  readonly complaints: readonly string[];
}

/** Each has a word behind it, `-h` too, which has no use for it. */
const KEYS: Readonly<Record<string, keyof SetupWords>> = {
  n: "name",
  d: "device",
  b: "bsType",
  B: "blockSize",
  t: "driver",
  C: "controlPort",
};

const HELP_LETTER = "h";

/**
 * Reads a command line as the shell's getopts does: options have one letter and end at the first word that is none; what is
 * wrong is complained about and passed over.
 */
export function parseSetupWords(words: readonly string[]): SetupWords {
  const found: Partial<Record<keyof SetupWords, string>> = {};
  const complaints: string[] = [];
  let wantsHelp = false;
  let index = 0;
  for (; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (!word.startsWith("-") || word === "-") break;
    if (word === "--") {
      index += 1;
      break;
    }
    const cut = firstOf(word);
    complaints.push(...cut.unknown.map((letter) => `illegal option -- ${letter}`));
    if (cut.letter === undefined) continue;
    const value = cut.rest === "" ? words[++index] : cut.rest;
    if (value === undefined) complaints.push(`option requires an argument -- ${cut.letter}`);
    else if (cut.letter === HELP_LETTER) wantsHelp = true;
    else found[KEYS[cut.letter] ?? "name"] = value;
    // What follows is not read any more.
    if (wantsHelp) break;
  }
  return {
    name: "",
    device: "",
    bsType: "",
    blockSize: "",
    driver: "iscsi",
    controlPort: "",
    ...found,
    initiators: words.slice(index),
    wantsHelp,
    complaints,
  };
}

/** The first letter of a cluster that is an option, what stands behind it, and the letters before it, which are none. */
function firstOf(word: string): { unknown: string[]; letter: string | undefined; rest: string } {
  const letters = word.slice(1).split("");
  const place = letters.findIndex(
    (letter) => letter === HELP_LETTER || Object.hasOwn(KEYS, letter),
  );
  if (place === -1) return { unknown: letters, letter: undefined, rest: "" };
  const rest = letters.slice(place + 1).join("");
  return { unknown: letters.slice(0, place), letter: letters[place], rest };
}
