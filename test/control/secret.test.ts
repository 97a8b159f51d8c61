import { inspect } from "node:util";
import { expect, it } from "vitest";
import { Secret } from "../../src/control/secret.ts";

it("a secret shows only where it is asked for", () => {
  const secret = new Secret("hunter2hunter2");
  expect(secret.reveal()).toBe("hunter2hunter2");
  expect(Buffer.from(secret.revealBytes()).toString()).toBe("hunter2hunter2");
  for (const shown of [String(secret), JSON.stringify({ secret }), inspect(secret, { depth: 9 })]) {
    expect(shown).not.toContain("hunter2");
  }
});

it("secrets can be compared without being shown", () => {
  expect(new Secret("a")).toEqual(new Secret("a"));
  expect(new Secret("a").fingerprint).not.toBe(new Secret("b").fingerprint);
});
