import { expect, it } from "vitest";
import { codeOf, messageOf, StartError } from "../../src/control/start-error.ts";

it("keeps what caused it", () => {
  const cause = new Error("inner");
  expect(new StartError("outer", cause).cause).toBe(cause);
  expect(new StartError("outer")).not.toHaveProperty("cause");
});

it("finds words and codes of whatever was thrown", () => {
  expect(messageOf(new Error("words"))).toBe("words");
  expect(messageOf("words")).toBe("words");
  expect(codeOf(Object.assign(new Error("x"), { code: "EIO" }))).toBe("EIO");
  expect(codeOf(Object.assign(new Error("x"), { code: 5 }))).toBe("");
  expect(codeOf("EIO")).toBe("");
});
