import { TGTADM_OPTIONS } from "../../../../src/cli/tgt/tgtadm/options.ts";
import type { OptionSpec } from "../../../../src/cli/tgt/getopt.ts";
import type { SeededRandom } from "../../../../src/util/random.ts";

const MODE_WORDS =
  "system sys target tgt logicalunit lu portal pt session sess connection conn account lld".split(
    " ",
  );
const OPERATION_WORDS = "new delete bind unbind show update stat start stop".split(" ");

const NUMBERS = "0 1 2 7 0x10 010 08 5x +3 -1 -5 2147483647 2147483648 4294967295 4294967296".split(
  " ",
);
const NUMBERS_OF_64_BITS = ["18446744073709551614", "18446744073709551615", "9".repeat(25)];
const WORDS = [
  "a",
  "x=y",
  "a,b",
  "",
  "/srv/disk one.img",
  "iqn.2026-01.com.example:d1",
  "-t",
  "ALL",
];

/** Words that are likely for an option; most of a kind that it takes. */
function valueFor({ letter }: OptionSpec, random: SeededRandom): string {
  const pick = (words: readonly string[]): string => words[random.below(words.length)] ?? "";
  if (letter === "m") return random.below(15) === 0 ? pick(["", "bogus", "tar"]) : pick(MODE_WORDS);
  if (letter === "o") {
    return random.below(15) === 0 ? pick(["", "bogus", "sho"]) : pick(OPERATION_WORDS);
  }
  if (letter === "Y") return pick(["disk", "tape", "cd", "changer", "osd", "ssc", "pt", "nope"]);
  if (letter === "C") return pick(["0", "0", "0", "00", "x", "65535", "-1", "0x0"]);
  if (letter === "B") return pick(["nothing", "nowhere,0"]);
  if (!"tsclH".includes(letter)) return pick(WORDS);
  if (random.below(3) > 0) return pick(["0", "1", "2"]);
  return pick([...NUMBERS, ...NUMBERS_OF_64_BITS, "x", "", " 4", "0x", "1.5"]);
}

/** One option as somebody may type it, now and then in a wrong way. */
function typed(spec: OptionSpec, random: SeededRandom): string[] {
  const { letter, long, shape } = spec;
  const value = valueFor(spec, random);
  if (random.below(3) > 0 || letter === "d") {
    const shortShape = spec.letterShape ?? shape;
    if (shortShape === "flag") return [`-${letter}`];
    return random.below(2) === 0 && value !== "" ? [`-${letter}${value}`] : [`-${letter}`, value];
  }
  const cut = random.below(4) === 0 ? 1 + random.below(long.length) : long.length;
  const name = `--${long.slice(0, cut)}`;
  if (shape === "flag") return random.below(8) === 0 ? [`${name}=${value}`] : [name];
  return random.below(2) === 0 ? [`${name}=${value}`] : [name, value];
}

const STRAY = [
  ["--frob"],
  ["-z"],
  ["word"],
  ["--"],
  ["-"],
  ["--frob=1"],
  ["-dz"],
  ["--=x"],
  ["-L"],
];

function optionOf(letter: string): OptionSpec {
  const spec = TGTADM_OPTIONS.find((each) => each.letter === letter);
  if (spec === undefined) throw new RangeError(`no option -${letter}`);
  return spec;
}

/** The words of a command line, without the program: mostly with a mode and an operation, sometimes with a mistake. */
export function randomCommandLine(random: SeededRandom): string[] {
  const pieces: string[][] = [];
  if (random.below(25) > 0) pieces.push(typed(optionOf("m"), random));
  if (random.below(25) > 0) pieces.push(typed(optionOf("o"), random));
  if (random.below(3) > 0) pieces.push(typed(optionOf("t"), random));
  if (random.below(3) === 0) pieces.push(typed(optionOf("l"), random));
  const others = TGTADM_OPTIONS.filter(({ letter }) => !"hV".includes(letter));
  for (let count = random.below(4); count > 0; count -= 1) {
    const spec = others[random.below(others.length)];
    if (spec !== undefined) pieces.push(typed(spec, random));
  }
  if (random.below(12) === 0) pieces.push(STRAY[random.below(STRAY.length)] ?? []);
  if (random.below(60) === 0) pieces.push([["-h"], ["-V"], ["--vers"]][random.below(3)] ?? []);
  for (let last = pieces.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [pieces[last], pieces[other]] = [pieces[other] ?? [], pieces[last] ?? []];
  }
  return pieces.flat();
}
