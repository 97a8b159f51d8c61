import { describe, expect, it } from "vitest";
import { leadingSigned, leadingUnsigned, parseInteger } from "../../../src/cli/tgt/c-number.ts";

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

describe("a leading number", () => {
  it.each([
    ["0", 0n, 0n],
    ["12", 12n, 12n],
    [" \t\n12x", 12n, 12n],
    ["+3", 3n, 3n],
    ["-1", ALL_ONES, ALL_ONES],
    ["-5", ALL_ONES - 4n, ALL_ONES - 4n],
    ["010", 8n, 10n],
    ["08", 0n, 8n],
    ["0x1F", 31n, 0n],
    ["0x", 0n, 0n],
    ["18446744073709551615", ALL_ONES, ALL_ONES],
    ["18446744073709551616", ALL_ONES, ALL_ONES],
    ["-99999999999999999999", ALL_ONES, ALL_ONES],
  ])("of %j", (text, base0, base10) => {
    expect(leadingUnsigned(text, 0)).toBe(base0);
    expect(leadingUnsigned(text, 10)).toBe(base10);
  });

  it.each(["", " ", "x", "-", "- 1", "+-1"])("is not in %j", (text) => {
    expect(leadingUnsigned(text, 0)).toBeUndefined();
    expect(leadingUnsigned(text, 10)).toBeUndefined();
  });
});

describe("a leading number with a sign", () => {
  it.each([
    ["12x", 12n],
    [" -5", -5n],
    ["+010", 10n],
    ["9223372036854775807", 2n ** 63n - 1n],
    ["9223372036854775808", 2n ** 63n - 1n],
    ["-9223372036854775808", -(2n ** 63n)],
    ["-99999999999999999999", -(2n ** 63n)],
    ["x", undefined],
  ])("of %j", (text, expected) => {
    expect(leadingSigned(text)).toBe(expected);
  });
});

describe("the value of an option", () => {
  it.each([
    ["32767", "int16", 32767n],
    ["32768", "int16", "out of range"],
    ["-5", "int16", "out of range"],
    ["2147483647", "int32", 2147483647n],
    ["2147483648", "int32", "out of range"],
    ["4294967295", "uint32", 4294967295n],
    ["4294967296", "uint32", "out of range"],
    ["-5", "uint32", "out of range"],
    ["-5", "uint64", ALL_ONES - 4n],
    ["-1", "int32", "invalid"],
    ["18446744073709551614", "uint64", ALL_ONES - 1n],
    ["18446744073709551615", "uint64", "invalid"],
    ["", "int32", "invalid"],
    ["one", "uint64", "invalid"],
  ] as const)("%j as %s", (text, kind, expected) => {
    expect(parseInteger(text, kind)).toBe(expected);
  });
});
