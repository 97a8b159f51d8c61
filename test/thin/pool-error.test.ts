import { expect, test } from "vitest";
import { PoolError } from "../../src/thin/pool-error.ts";

test("a pool's error keeps its kind and its cause, and has none where none was given", () => {
  const cause = new Error("no answer");
  const error = new PoolError("io", "disk a was not read", cause);
  expect(error).toBeInstanceOf(Error);
  expect([error.name, error.kind, error.message]).toEqual([
    "PoolError",
    "io",
    "disk a was not read",
  ]);
  expect(error.cause).toBe(cause);
  // A cause that is there but undefined is a line of its own in logs.
  expect(new PoolError("busy", "it is open")).not.toHaveProperty("cause");
});
