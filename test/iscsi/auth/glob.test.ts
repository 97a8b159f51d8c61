import { describe, expect, it } from "vitest";

import { globMatches } from "../../../src/iscsi/auth/glob.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

/** The same by the definition, exponential as it is. */
function naiveMatches(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*") {
    return (
      naiveMatches(pattern.slice(1), text) || (text !== "" && naiveMatches(pattern, text.slice(1)))
    );
  }
  return pattern[0] === text[0] && text !== "" && naiveMatches(pattern.slice(1), text.slice(1));
}

describe("globMatches", () => {
  it.each([
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "iqn.x", true],
    ["iqn.*", "iqn.", true],
    ["iqn.*:db*", "iqn.2001:web:db7", true],
    ["iqn.*:db*", "iqn.2001:web", false],
    ["*ab", "aab", true],
    ["a*a", "a", false],
    ["?", "a", false],
    [".", "a", false],
  ])("%j on %j is %s", (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches);
  });

  const seed = chooseSeed(process.env);
  it(`agrees with the definition on random patterns (seed ${seed})`, () => {
    const random = new SeededRandom(seed);
    const word = (alphabet: readonly string[]): string =>
      Array.from({ length: random.below(8) }, () => random.pick(alphabet)).join("");
    for (let round = 0; round < 5000; round++) {
      const pattern = word(["a", "b", "*"]);
      const text = word(["a", "b"]);
      expect([pattern, text, globMatches(pattern, text)]).toEqual([
        pattern,
        text,
        naiveMatches(pattern, text),
      ]);
    }
  });

  it("is not slowed down by many stars", () => {
    // The definition above would take longer than the universe is old.
    expect(globMatches("*a".repeat(100), `${"a".repeat(222)}b`)).toBe(false);
  });
});
