import { describe, expect, it } from "vitest";
import {
  decimalInt32,
  leadingNumber,
  restAfter,
  splitParameter,
  splitParameters,
  uint32Of,
  upToComma,
  utf8Text,
  wholeInt32,
  withoutWord,
} from "../../../src/control/tgt/parameters.ts";

describe("a list of parameters", () => {
  it.each([
    ["", []],
    [",,", []],
    ["path=/a", [{ key: "path", value: "/a" }]],
    ["path=", [{ key: "path", value: "" }]],
    ["path", [{ key: "path", value: undefined }]],
    ["=x", [{ key: "", value: "x" }]],
    [
      "path=/a,b=c.img",
      [
        { key: "path", value: "/a" },
        { key: "b", value: "c.img" },
      ],
    ],
    [
      "a=1,,a=2,",
      [
        { key: "a", value: "1" },
        { key: "a", value: "2" },
      ],
    ],
    [" a = b ", [{ key: " a ", value: " b " }]],
  ])("is read from %j", (text, parameters) => {
    expect(splitParameters(text)).toEqual(parameters);
  });
});

describe("one parameter", () => {
  it("has commas and further equal signs in its value", () => {
    expect(splitParameter("a=b=c,d=e")).toEqual({ key: "a", value: "b=c,d=e" });
    expect(splitParameter("state")).toEqual({ key: "state", value: undefined });
  });

  it.each([
    ["initiator-address=A,initiator-name=B", "initiator-address", "A,initiator-name=B"],
    ["initiator-address=A,initiator-name=B", "initiator-name", "B"],
    ["xuser=a", "user", "a"],
    ["user=", "user", ""],
    ["user", "user", undefined],
    ["users=a", "user", undefined],
  ])("is found in %j by %s", (text, key, value) => {
    expect(restAfter(text, key)).toBe(value);
  });

  it("ends at a comma where it must not have any", () => {
    expect(upToComma("a,b")).toBe("a");
    expect(upToComma("a")).toBe("a");
  });

  it("loses the word before it once, and only with a blank", () => {
    expect(withoutWord("targetOps a=1,", "targetOps")).toBe("a=1,");
    expect(withoutWord("targetOps targetOps a=1", "targetOps")).toBe("targetOps a=1");
    expect(withoutWord("targetOpsX a=1", "targetOps")).toBe("targetOpsX a=1");
  });
});

it.each([
  ["8", 8],
  [" +8", 8],
  ["010", 8],
  ["0x10", 16],
  ["-0x10", -16],
  ["4294967295", -1],
  ["99999999999", 1_215_752_191],
  ["-2147483649", 2_147_483_647],
  ["18446744073709551615", -1],
  ["9".repeat(30), -1],
  ["09", undefined],
  ["0x", undefined],
  ["8 ", undefined],
  ["", undefined],
])("all of %j is the int %s", (text, number) => {
  expect(wholeInt32(text)).toBe(number);
});

it.each([
  ["5", 5],
  [" -7x", -7],
  ["0x10", 0],
  ["010", 10],
  ["x", 0],
  ["", 0],
  ["2147483648", -2_147_483_648],
  ["4294967297", 1],
  ["18446744073709551617", -1],
  ["-99999999999999999999", 0],
])("%j begins with the decimal int %i", (text, number) => {
  expect(decimalInt32(text)).toBe(number);
});

it.each([
  [4_294_967_808, 512],
  [-1, 0xffff_ffff],
  [7, 7],
])("the low bits of %i are %i", (number, low) => {
  expect(uint32Of(number)).toBe(low);
});

it.each([
  ["512", 512],
  [" 512", 512],
  ["512x", 512],
  ["0x200", 512],
  ["010", 8],
  ["08", 0],
  ["0", 0],
  ["-3", -3],
  ["-0", 0],
  ["+3", 3],
  ["x", 0],
  ["", 0],
])("the number at the beginning of %j is %i", (text, number) => {
  expect(leadingNumber(text)).toBe(number);
});

it("is UTF-8, or nothing", () => {
  expect(utf8Text("/srv/\u00c3\u00a4")).toBe("/srv/\u00e4");
  expect(utf8Text("/srv/a")).toBe("/srv/a");
  expect(utf8Text("/srv/\u00e4")).toBeNull();
  // Twice as long as it need be, which is none.
  expect(utf8Text("\u00c1\u00a1")).toBeNull();
});
