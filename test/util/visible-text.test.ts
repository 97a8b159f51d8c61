import { describe, expect, it } from "vitest";
import { isVisible, makeVisible } from "../../src/util/visible-text.ts";

describe("text for a terminal", () => {
  it.each(["", "tank", "a b", "\u00e4\u20ac\u{1f4be}", "\u0627\u0644", "e\u0301"])(
    "stays as it is: %j",
    (text) => {
      expect(isVisible(text)).toBe(true);
      expect(makeVisible(text)).toBe(text);
    },
  );

  it.each([
    ["an escape sequence", "\u001b[2J", "\\u001b[2J"],
    ["a carriage return", "a\rb", "a\\u000db"],
    ["one of C1", "\u009b31m", "\\u009b31m"],
    ["an override of the direction", "a\u202eb", "a\\u202eb"],
    ["an isolate", "\u2066a\u2069", "\\u2066a\\u2069"],
    ["a mark of the direction", "\u200f\u061c", "\\u200f\\u061c"],
    ["a space of no width", "a\u200bb\ufeff", "a\\u200bb\\ufeff"],
    ["a separator of lines", "a\u2028b", "a\\u2028b"],
    ["a tag", "\u{e0041}", "\\udb40\\udc41"],
    ["half of a character", "\ud800", "\\ud800"],
  ])("is escaped where it cannot be seen: %s", (_, text, shown) => {
    expect(isVisible(text)).toBe(false);
    expect(makeVisible(text)).toBe(shown);
  });

  it("keeps lines and columns, which a name must not have", () => {
    expect(makeVisible("a\tb\n")).toBe("a\tb\n");
    expect([isVisible("a\n"), isVisible("a\t")]).toEqual([false, false]);
  });

  it("means the same in JSON", () => {
    const value = { name: "a\u202e\u{e0041}\u0085" };
    expect(JSON.parse(makeVisible(JSON.stringify(value, undefined, 2)))).toEqual(value);
  });
});
