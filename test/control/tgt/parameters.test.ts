import { describe, expect, it } from "vitest";
import {
  leadingNumber,
  restAfter,
  splitParameter,
  splitParameters,
  upToComma,
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
