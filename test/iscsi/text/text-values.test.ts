import { describe, expect, it } from "vitest";

import {
  formatBinary,
  formatBoolean,
  parseBinary,
  parseBoolean,
  parseList,
  parseNumber,
  parseRange,
} from "../../../src/iscsi/text/text-values.ts";

describe("numbers", () => {
  it.each([
    ["0", 0],
    ["007", 7],
    ["262144", 262_144],
    ["0x40000", 262_144],
    ["0X0aF", 175],
    ["9007199254740991", 9_007_199_254_740_991],
    ["9007199254740993", null],
    ["0x20000000000000", null],
    ["99999999999999999", null],
    ["", null],
    ["0x", null],
    ["-1", null],
    ["+1", null],
    ["1.5", null],
    ["1e3", null],
    [" 1", null],
    ["1\n", null],
    ["0b10", null],
    ["\u0661", null],
  ])("%j is %s", (text, number) => {
    expect(parseNumber(text)).toBe(number);
  });

  it.each([
    ["1~2", { low: 1, high: 2 }],
    ["0x10~16", { low: 16, high: 16 }],
    ["2~1", null],
    ["1~", null],
    ["~1", null],
    ["1", null],
    ["1~2~3", null],
  ])("the range %j is %o", (text, range) => {
    expect(parseRange(text)).toEqual(range);
  });
});

it("knows two booleans", () => {
  expect(["Yes", "No", "yes", "NO", "", "1"].map(parseBoolean)).toEqual([
    true,
    false,
    null,
    null,
    null,
    null,
  ]);
  expect([formatBoolean(true), formatBoolean(false)]).toEqual(["Yes", "No"]);
});

it.each([
  ["None", ["None"]],
  ["a,b,a", ["a", "b", "a"]],
  ["", null],
  ["a,", null],
  [",a", null],
  ["a,,b", null],
  [Array.from({ length: 32 }, () => "a").join(","), Array.from({ length: 32 }, () => "a")],
  [Array.from({ length: 33 }, () => "a").join(","), null],
])("the list %j is %o", (text, items) => {
  expect(parseList(text)).toEqual(items);
});

describe("binary values", () => {
  it.each([
    ["0x00ff", "00ff"],
    ["0X00Ff", "00ff"],
    ["0bAP8=", "00ff"],
    ["0BAP8=", "00ff"],
    ["0bAAAA", "000000"],
    ["0b+/+/", "fbffbf"],
    ["0x", null],
    ["0b", null],
    ["0x0", null],
    ["0xfg", null],
    ["00ff", null],
    ["0bAP8", null],
    ["0bA===", null],
    ["0bAP8=AP8=", null],
    ["0b-_-_", null],
    [`0x${"ab".repeat(1024)}`, "ab".repeat(1024)],
    [`0x${"ab".repeat(1025)}`, null],
  ])("%j is %s", (text, hex) => {
    const value = parseBinary(text);
    expect(value === null ? null : Buffer.from(value).toString("hex")).toBe(hex);
  });

  it("are written in hexadecimal, from any part of a buffer", () => {
    expect(formatBinary(Buffer.from("0012ff34", "hex").subarray(1, 3))).toBe("0x12ff");
  });
});
