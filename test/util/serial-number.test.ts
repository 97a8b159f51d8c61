import { describe, expect, it } from "vitest";
import {
  serialAdd,
  serialDistance,
  serialLess,
  serialLessOrEqual,
} from "../../src/util/serial-number.ts";

const HALF = 0x8000_0000;
const LAST = 0xffff_ffff;

describe("serial numbers (RFC 1982)", () => {
  it.each([
    [0, 1, 1],
    [LAST, 1, 0],
    [LAST, 2, 1],
    [0, -1, LAST],
    [5, -10, LAST - 4],
    [0, HALF - 1, HALF - 1],
    [HALF, HALF - 1, LAST],
  ])("%d and %d make %d", (value, step, sum) => {
    expect(serialAdd(value, step)).toBe(sum);
  });

  it.each([
    [0, 1, true],
    [1, 0, false],
    [0, 0, false],
    [LAST, 0, true],
    [0, LAST, false],
    [0, HALF - 1, true],
    [0, HALF + 1, false],
    [LAST - 1, 5, true],
  ])("%d comes before %d: %s", (left, right, expected) => {
    expect(serialLess(left, right)).toBe(expected);
    expect(serialLessOrEqual(left, right)).toBe(expected || left === right);
  });

  it.each([0, 1, HALF, LAST])("%d and the number 2^31 from it are not ordered", (value) => {
    const opposite = serialAdd(serialAdd(value, HALF - 1), 1);
    expect(serialLess(value, opposite)).toBe(false);
    expect(serialLess(opposite, value)).toBe(false);
    expect(serialLessOrEqual(value, opposite)).toBe(false);
  });

  it.each([
    [0, 5, 5],
    [5, 0, -5],
    [LAST, 0, 1],
    [0, LAST, -1],
    [7, 7, 0],
  ])("from %d to %d it is %d", (from, to, distance) => {
    expect(serialDistance(from, to)).toBe(distance);
  });
});
