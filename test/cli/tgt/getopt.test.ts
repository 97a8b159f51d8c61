import { describe, expect, it } from "vitest";
import { getopt, type OptionSpec, takeText, type TextFields } from "../../../src/cli/tgt/getopt.ts";

const SPECS: readonly OptionSpec[] = [
  { letter: "v", long: "verbose", shape: "flag" },
  { letter: "V", long: "version", shape: "flag" },
  { letter: "f", long: "file", shape: "value" },
  { letter: "F", long: "force", shape: "flag", letterShape: "value" },
  { letter: "T", long: "thin", shape: "flag", letterShape: "none" },
  {
    letter: "D",
    long: "driver",
    shape: "value",
    letterShape: "none",
    isWhole: true,
    leavesWord: true,
  },
  { letter: "C", long: "verify", shape: "flag", letterShape: "none", isWhole: true },
];

const parse = (line: string, isStrict = false): ReturnType<typeof getopt> =>
  getopt(SPECS, line === "" ? [] : line.split(" "), isStrict);

/** What was given, in short. */
const given = (line: string): string[] =>
  parse(line).given.map(({ letter, value }) => `${letter}${value}`);

it("the word of an option goes to its field, where it has one", () => {
  const settings: { file: string | undefined; count: number } = { file: undefined, count: 0 };
  const fields: TextFields<typeof settings> = new Map([["f", "file"]]);
  const [file, other] = parse("-f x -v").given;
  const taken = [file, other].map((option) => {
    return option !== undefined && takeText(settings, fields, option);
  });
  expect([taken, settings]).toEqual([[true, false], { file: "x", count: 0 }]);
});

describe("options", () => {
  it.each([
    ["", []],
    ["-f x", ["fx"]],
    ["-fx", ["fx"]],
    ["-vvfx", ["v", "v", "fx"]],
    ["-vf x", ["v", "fx"]],
    ["--file x", ["fx"]],
    ["--file=x=y", ["fx=y"]],
    ["--file=", ["f"]],
    ["--fi -v", ["f-v"]],
    ["-f --", ["f--"]],
    ["--verb", ["v"]],
    ["--force", ["F"]],
    ["-F word", ["Fword"]],
    ["--t", ["T"]],
  ])("%s", (line, expected) => {
    expect(given(line)).toEqual(expected);
    expect(parse(line)).toMatchObject({ fault: undefined, operands: [] });
  });

  it("are typed in full where their beginnings are not theirs", () => {
    expect(given("--verify --verb")).toEqual(["C", "v"]);
    expect(parse("--ver").fault).not.toContain("verify");
    expect(parse("--driv x").fault).toBe("unrecognized option '--driv'");
  });

  it("look at a word, and leave it", () => {
    expect(parse("--driver x -v")).toMatchObject({
      given: [
        { letter: "D", value: "x" },
        { letter: "v", value: "" },
      ],
      operands: ["x"],
    });
    expect(given("--driver -v")).toEqual(["D-v", "v"]);
    expect(given("--driver=x -v")).toEqual(["Dx", "v"]);
    expect(given("--driver")).toEqual(["D"]);
  });

  it("stand behind other words, up to two dashes", () => {
    expect(parse("a -v - -fx b -- -v --")).toEqual({
      given: [
        { letter: "v", value: "" },
        { letter: "f", value: "x" },
      ],
      fault: undefined,
      operands: ["a", "-", "b", "-v", "--"],
    });
  });

  it("end at the first other word where POSIX is asked for", () => {
    expect(parse("-v a -v", true)).toEqual({
      given: [{ letter: "v", value: "" }],
      fault: undefined,
      operands: ["a", "-v"],
    });
  });
});

describe("faults", () => {
  it.each([
    ["-z", "invalid option -- 'z'"],
    ["-vz", "invalid option -- 'z'"],
    ["-T", "invalid option -- 'T'"],
    ["-f", "option requires an argument -- 'f'"],
    ["-F", "option requires an argument -- 'F'"],
    ["--file", "option '--file' requires an argument"],
    ["--fi", "option '--file' requires an argument"],
    ["--force=1", "option '--force' doesn't allow an argument"],
    ["--nothing", "unrecognized option '--nothing'"],
    ["--nothing=1", "unrecognized option '--nothing=1'"],
    ["--ver", "option '--ver' is ambiguous; possibilities: '--verbose' '--version'"],
    ["--f=1", "option '--f=1' is ambiguous; possibilities: '--file' '--force'"],
  ])("%s", (line, fault) => {
    expect(parse(line)).toMatchObject({ fault });
  });

  it("name the word that they are in", () => {
    for (const word of ["--fi", "-vz", "--ver", "--force=1", "--nothing=1", "-f"]) {
      expect(parse(`-v ${word}`).faultWord).toBe(word);
    }
    expect(parse("-v").faultWord).toBeUndefined();
  });

  it("come after what was read before them, and end the reading", () => {
    expect(parse("-v -z -v")).toMatchObject({ given: [{ letter: "v" }] });
    expect(parse("-vz")).toMatchObject({ given: [{ letter: "v" }] });
  });
});
