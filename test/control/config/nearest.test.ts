import { expect, it } from "vitest";
import { editDistance, nearest } from "../../../src/control/config/nearest.ts";

it.each([
  ["", "", 0],
  ["abc", "abc", 0],
  ["abc", "ab", 1],
  ["ab", "abc", 1],
  ["abc", "axc", 1],
  ["abc", "acb", 1],
  ["abcd", "badc", 2],
  ["kitten", "sitting", 3],
  ["", "abc", 3],
])("%j and %j are %d apart", (left, right, distance) => {
  expect(editDistance(left, right)).toBe(distance);
  expect(editDistance(right, left)).toBe(distance);
});

it.each([
  ["potrals", "portals"],
  ["VOLUMES", "volumes"],
  ["target", "targets"],
  ["xyz", undefined],
  ["p", undefined],
])("%j probably means %j", (word, meant) => {
  expect(nearest(word, ["portals", "volumes", "targets"])).toBe(meant);
});
