import { describe, expect, it } from "vitest";
import { formatSize, parseSize, SizeError } from "../../src/util/units.ts";

describe("parseSize", () => {
  it.each([
    ["0", 0],
    ["4096", 4096],
    ["1B", 1],
    ["1KiB", 1024],
    ["512 KiB", 512 * 1024],
    [" 1GiB ", 2 ** 30],
    ["1gib", 2 ** 30],
    ["2TiB", 2 ** 41],
    ["1PiB", 2 ** 50],
    ["1kB", 1000],
    ["1KB", 1000],
    ["20GB", 20e9],
    ["1.5GiB", 1.5 * 2 ** 30],
    ["0.5KiB", 512],
    ["9007199254740991", 2 ** 53 - 1],
  ])("reads %j as %d", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    ["", /is not a size/],
    ["GiB", /is not a size/],
    ["-1GiB", /is not a size/],
    ["1e3", /is not a size/],
    ["1,5GiB", /is not a size/],
    ["0x10", /is not a size/],
    ["1G", /ambiguous; write GiB \(powers of 1024\) or GB/],
    ["1m", /ambiguous; write MiB/],
    ["1XiB", /has no unit that is known; there are B, KiB/],
    ["0.3KiB", /not a whole number of bytes/],
    ["9007199254740992", /too large/],
    ["9000PiB", /too large/],
  ])("refuses %j", (text, message) => {
    expect(() => parseSize(text)).toThrow(SizeError);
    expect(() => parseSize(text)).toThrow(message);
  });
});

describe("formatSize", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1.5 * 2 ** 30, "1.5 GiB"],
    [2 ** 40, "1 TiB"],
    [1e9, "953.67 MiB"],
    [2 ** 60, "1024 PiB"],
  ])("writes %d as %j", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});
