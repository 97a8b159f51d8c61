import { expect, it } from "vitest";
import { authenticationRules } from "../../../src/control/config/authentication-rules.ts";
import { Secret } from "../../../src/control/secret.ts";

it("nothing configured lets everybody in", () => {
  expect(authenticationRules(null)).toMatchObject({ incoming: [], outgoing: null });
});

it("accounts come in the terms of the login, with the bytes of their secrets", () => {
  const rules = authenticationRules({
    accounts: [{ user: "alice", secret: new Secret("p\u00e4ssword1234") }],
    mutual: { user: "disk", secret: new Secret("othersecret12") },
    mutualRequired: true,
    algorithms: [7],
  });
  expect(rules.mutual).toBe("required");
  expect(rules.algorithms).toEqual([7]);
  expect(rules.outgoing?.user).toBe("disk");
  expect(Buffer.from(rules.incoming[0]?.secret ?? [])).toEqual(Buffer.from("p\u00e4ssword1234"));
});
