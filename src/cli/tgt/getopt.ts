/**
 * Command lines as GNU getopt_long(3) reads them: clusters of letters, abbreviated names, options behind other words. Its
 * complaints are part of what scripts see.
 */

/** Whether something is typed behind an option: `flag` has no value. */
type Shape = "flag" | "value";

export interface OptionSpec {
  /** Names the option in what is parsed, even where it cannot be typed. */
  readonly letter: string;
  readonly long: string;
  /** How `--long` is typed. */
  readonly shape: Shape;
  /** How `-l` is typed, where that differs from `--long`: tgtadm's `-F` wants a word and does not look at it. */
  readonly letterShape?: Shape | "none";
  /** `--long` is typed in full: its beginnings are not it, nor do they make those of others ambiguous. */
  readonly isWhole?: true;
  /** The word behind `--long` is its value, and read once more on its own: as an option, or as none. It may be missing. */
  readonly leavesWord?: true;
}

export interface GivenOption {
  readonly letter: string;
  /** Empty for a flag. */
  readonly value: string;
}

export interface ParsedWords {
  /** In the order of the command line, up to the fault. */
  readonly given: readonly GivenOption[];
  /** Without the name of the program. Nothing is read after it. */
  readonly fault: string | undefined;
  /** The word that the fault is in, where there is one. */
  readonly faultWord?: string;
  /** What is no option. Where there is a fault they are not complete. */
  readonly operands: readonly string[];
}

/** The fields of settings that hold the word of an option as it was typed. */
type TextField<Settings> = {
  [Key in keyof Settings]: string extends NonNullable<Settings[Key]> ? Key : never;
}[keyof Settings];

/** Which field the word of an option goes to, by letter. */
export type TextFields<Settings> = ReadonlyMap<string, TextField<Settings>>;

/** Puts the word of an option into its field. False where it has none: then it is not taken as it is. */
export function takeText<Settings extends object>(
  settings: Settings,
  fields: TextFields<Settings>,
  { letter, value }: GivenOption,
): boolean {
  const field = fields.get(letter);
  if (field === undefined) return false;
  Object.assign(settings, { [field]: value });
  return true;
}

/** One word or cluster that was read: what it gave, and how many of the following words it took. */
interface Step {
  readonly given: readonly GivenOption[];
  readonly taken: number;
  readonly fault?: string;
}

/**
 * Reads a command line.
 * @param words without the name of the program
 * @param isStrict options end at the first other word, as POSIXLY_CORRECT in the environment asks
 */
export function getopt(
  specs: readonly OptionSpec[],
  words: readonly string[],
  isStrict: boolean,
): ParsedWords {
  const given: GivenOption[] = [];
  const operands: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--" || (isStrict && !isOption(word))) {
      operands.push(...words.slice(word === "--" ? index + 1 : index));
      break;
    }
    if (!isOption(word)) {
      operands.push(word);
      continue;
    }
    const read = word.startsWith("--") ? readLong : readCluster;
    const step = read(specs, word, words[index + 1]);
    given.push(...step.given);
    if (step.fault !== undefined) return { given, fault: step.fault, faultWord: word, operands };
    index += step.taken;
  }
  return { given, fault: undefined, operands };
}

function isOption(word: string): boolean {
  return word.startsWith("-") && word !== "-";
}

function wrong(given: readonly GivenOption[], fault: string): Step {
  return { given, taken: 0, fault };
}

function readLong(specs: readonly OptionSpec[], word: string, next: string | undefined): Step {
  const equals = word.indexOf("=");
  const name = word.slice(2, equals === -1 ? undefined : equals);
  const candidates = specs.filter(
    ({ long, isWhole }) => long === name || (isWhole !== true && long.startsWith(name)),
  );
  const exact = candidates.find(({ long }) => long === name);
  const spec = exact ?? candidates[0];
  if (spec === undefined) return wrong([], `unrecognized option '${word}'`);
  if (exact === undefined && candidates.length > 1) {
    const names = candidates.map(({ long }) => `'--${long}'`).join(" ");
    return wrong([], `option '${word}' is ambiguous; possibilities: ${names}`);
  }
  const { letter, long, shape, leavesWord } = spec;
  if (shape === "flag") {
    if (equals !== -1) return wrong([], `option '--${long}' doesn't allow an argument`);
    return { given: [{ letter, value: "" }], taken: 0 };
  }
  if (equals !== -1) return { given: [{ letter, value: word.slice(equals + 1) }], taken: 0 };
  if (leavesWord === true) return { given: [{ letter, value: next ?? "" }], taken: 0 };
  if (next === undefined) return wrong([], `option '--${long}' requires an argument`);
  return { given: [{ letter, value: next }], taken: 1 };
}

function readCluster(specs: readonly OptionSpec[], word: string, next: string | undefined): Step {
  const given: GivenOption[] = [];
  for (let index = 1; index < word.length; index += 1) {
    const letter = word.charAt(index);
    const spec = specs.find((each) => each.letter === letter);
    const shape = spec?.letterShape ?? spec?.shape ?? "none";
    if (shape === "none") return wrong(given, `invalid option -- '${letter}'`);
    if (shape === "flag") {
      given.push({ letter, value: "" });
      continue;
    }
    const rest = word.slice(index + 1);
    const value = rest === "" ? next : rest;
    if (value === undefined) return wrong(given, `option requires an argument -- '${letter}'`);
    given.push({ letter, value });
    return { given, taken: rest === "" ? 1 : 0 };
  }
  return { given, taken: 0 };
}
