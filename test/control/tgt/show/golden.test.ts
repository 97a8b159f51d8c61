import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { identitiesText } from "./identity-examples.ts";
import { SCENARIOS } from "./scenarios.ts";

const folder = join(import.meta.dirname, "golden");

describe("texts recorded from tgtd", () => {
  for (const { name, shows } of SCENARIOS) {
    describe(name, () => {
      it.each(shows)("$words ($golden)", ({ golden, text }) => {
        expect(text).toBe(readFileSync(join(folder, `${golden}.txt`), "utf8"));
      });
    });
  }

  it("give our units the same names", () => {
    expect(identitiesText()).toBe(readFileSync(join(folder, "identities.txt"), "utf8"));
  });

  it("are all compared with", () => {
    const compared = new Set(SCENARIOS.flatMap(({ shows }) => shows.map(({ golden }) => golden)));
    compared.add("identities");
    expect(readdirSync(folder).sort()).toEqual([...compared].map((name) => `${name}.txt`).sort());
  });
});
