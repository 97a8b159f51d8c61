import { describe, expect, it } from "vitest";
import { getopt, type OptionSpec } from "../../../src/cli/tgt/getopt.ts";

const SPECS: readonly OptionSpec[] = [
  { letter: "v", long: "verbose", shape: "flag" },
  { letter: "V", long: "version", shape: "flag" },
  { letter: "f", long: "file", shape: "value" },
  { letter: "F", long: "force", shape: "flag", letterShape: "value" },
  { letter: "T", long: "thin", shape: "flag", letterShape: "none" },
];

const parse = (line: string, isStrict = false): ReturnType<typeof getopt> =>
  getopt(SPECS, line === "" ? [] : line.split(" "), isStrict);

/** What was given, in short. */
const given = (line: string): string[] =>
  parse(line).given.map(({ letter, value }) => `${letter}${value}`);

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

  it("come after what was read before them, and end the reading", () => {
    expect(parse("-v -z -v")).toMatchObject({ given: [{ letter: "v" }] });
    expect(parse("-vz")).toMatchObject({ given: [{ letter: "v" }] });
  });
});
