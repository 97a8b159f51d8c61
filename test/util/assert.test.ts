import { expect, it } from "vitest";
import { assert, AssertionError, unreachable } from "../../src/util/assert.ts";

it("assert passes what is true and throws what is not", () => {
  expect(() => assert(true, "never")).not.toThrow();
  expect(() => assert(false, "the invariant")).toThrow(AssertionError);
  expect(() => assert(false, "the invariant")).toThrow("the invariant");
});

it("unreachable throws, and names what got there", () => {
  expect(() => unreachable("a seventh kind" as never)).toThrow("unreachable: a seventh kind");
});
