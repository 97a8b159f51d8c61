import { describe, expect, it } from "vitest";

import {
  accountProblems,
  authenticationProblems,
  AuthenticationPolicy,
  NO_AUTHENTICATION,
  type AuthenticationRules,
} from "../../../src/iscsi/auth/authentication-policy.ts";
import { ChapAlgorithm } from "../../../src/iscsi/auth/chap-algorithm.ts";
import { ACCOUNTS_MAX } from "../../../src/iscsi/login/limits.ts";
import { account, policy } from "../login/login-harness.ts";

const alice = account("alice", "a secret of alice");
const disk = account("disk", "a secret of the disk");

describe("accountProblems", () => {
  it.each([
    ["alice", "twelve bytes", 0, 0],
    ["alice", "s".repeat(256), 0, 0],
    ["alice", "eleven byte", 0, 1],
    ["alice", "x", 0, 1],
    ["alice", "", 1, 0],
    ["alice", "s".repeat(257), 1, 0],
    ["", "twelve bytes", 1, 0],
    ["u".repeat(256), "twelve bytes", 1, 0],
    ["a\nb", "twelve bytes", 1, 0],
  ])("%j with %j: %s errors, %s warnings", (user, secret, errors, warnings) => {
    const problems = accountProblems(account(user, secret));
    expect([problems.errors.length, problems.warnings.length]).toEqual([errors, warnings]);
  });

  it("never quotes a secret", () => {
    const problems = accountProblems(account("alice", "short one"));
    expect(JSON.stringify(problems)).not.toContain("short one");
  });
});

describe("AuthenticationPolicy", () => {
  it("asks for nothing where there is no account", () => {
    expect(new AuthenticationPolicy().required).toBe(false);
    expect(policy({ outgoing: disk }).required).toBe(false);
  });

  it("knows its users' secrets", () => {
    const rules = policy({ incoming: [alice] });
    expect(rules.required).toBe(true);
    expect(rules.secretOf("alice")).toEqual(alice.secret);
    for (const user of ["bob", "Alice", "", "__proto__"]) expect(rules.secretOf(user)).toBeNull();
  });

  it("keeps the order of strength, whatever the order of the setting", () => {
    const { md5, sha256 } = ChapAlgorithm;
    expect(policy({ algorithms: [md5, sha256] }).algorithms).toEqual([sha256, md5]);
  });

  it.each<[string, Partial<AuthenticationRules>]>([
    ["a user twice", { incoming: [alice, account("alice", "another secret")] }],
    ["a bad account", { incoming: [account("", "a secret of nobody")] }],
    ["a bad outgoing account", { incoming: [alice], outgoing: account("disk", "") }],
    ["one secret both ways", { incoming: [alice], outgoing: { ...disk, secret: alice.secret } }],
    ["mutual without an outgoing account", { incoming: [alice], mutual: "required" }],
    ["mutual without an incoming account", { outgoing: disk, mutual: "required" }],
    ["no algorithm", { incoming: [alice], algorithms: [] }],
    [
      "too many accounts",
      {
        incoming: Array.from({ length: ACCOUNTS_MAX + 1 }, (_, index) =>
          account(`u${index}`, "a secret of a user"),
        ),
      },
    ],
  ])("refuses %s", (_what, changes) => {
    const rules = { ...NO_AUTHENTICATION, ...changes };
    expect(authenticationProblems(rules)).toHaveLength(1);
    expect(() => new AuthenticationPolicy(rules)).toThrow(TypeError);
  });
});
