import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  type Authenticate,
  mustHaveRole,
  tokenAuthentication,
} from "../../../src/control/http/caller.ts";
import { FailureLimit } from "../../../src/control/http/failure-limit.ts";
import { RefusedRequest } from "../../../src/control/http/problem.ts";
import { ROLES } from "../../../src/control/protocol.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const TOKENS = [
  { name: "grafana", role: "read", sha256: sha256("a".repeat(32)) },
  { name: "alice", role: "admin", sha256: sha256("b".repeat(32)) },
] as const;

function refusal(authenticate: Authenticate, authorization?: string, address = "192.0.2.1") {
  try {
    authenticate({ authorization, address });
  } catch (error) {
    if (error instanceof RefusedRequest) return error;
    throw error;
  }
  throw new Error("it was let in");
}

describe("callers over the network", () => {
  it("are known by their token", () => {
    const authenticate = tokenAuthentication(TOKENS, new ManualClock());
    const by = (authorization: string) => authenticate({ authorization, address: "192.0.2.1" });
    expect(by(`Bearer ${"a".repeat(32)}`)).toMatchObject({ name: "grafana", role: "read" });
    expect(by(`bearer  ${"b".repeat(32)}`)).toMatchObject({ name: "alice", role: "admin" });
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Basic ${"a".repeat(32)}`,
    `Bearer ${"a".repeat(31)}`,
    `Bearer ${"a".repeat(33)}`,
    `Bearer ${"a".repeat(32)} x`,
    `Bearer ${"x".repeat(2000)}`,
    `Bearer ${sha256("a".repeat(32))}`,
  ])("are refused with %j", (authorization) => {
    const refused = refusal(tokenAuthentication(TOKENS, new ManualClock()), authorization);
    expect([refused.status, refused.kind]).toEqual([401, "denied"]);
    expect(refused.headers["www-authenticate"]).toMatch(/^Bearer/);
    expect(refused.message).not.toContain("aaaa");
  });

  it("do what their role allows, and what those before it do", () => {
    const allowed = ROLES.map((role) =>
      ROLES.filter((needed) => {
        try {
          mustHaveRole({ name: "x", role }, needed);
          return true;
        } catch (error) {
          expect(error).toMatchObject({ status: 403, kind: "denied" });
          return false;
        }
      }),
    );
    expect(allowed).toEqual([["read"], ["read", "operate"], ["read", "operate", "admin"]]);
  });

  it("wait when they guess, each address by itself, and whoever has the right token does not", () => {
    const clock = new ManualClock();
    const authenticate = tokenAuthentication(TOKENS, clock);
    const right = `Bearer ${"b".repeat(32)}`;
    for (let tries = 0; tries < 10; tries += 1) {
      expect(refusal(authenticate, "Bearer x").status).toBe(401);
    }
    const refused = refusal(authenticate, "Bearer x");
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
    // Others behind the same address are not kept out by whoever guesses, or has an old token.
    expect(authenticate({ authorization: right, address: "192.0.2.1" }).name).toBe("alice");
    expect(refusal(authenticate, "Bearer x").status).toBe(429);
    expect(refusal(authenticate, "Bearer x", "192.0.2.2").status).toBe(401);
    clock.advance(60_000);
    expect(refusal(authenticate, "Bearer x").status).toBe(401);
  });

  it("do not wait for having forgotten the token", () => {
    const authenticate = tokenAuthentication(TOKENS, new ManualClock());
    for (let tries = 0; tries < 20; tries += 1) refusal(authenticate);
    expect(refusal(authenticate).status).toBe(401);
  });
});

describe("the limit on failures", () => {
  it("remembers a bounded number of addresses", () => {
    const limit = new FailureLimit(new ManualClock());
    for (let tries = 0; tries < 10; tries += 1) limit.failed("first");
    expect(limit.waitMs("first")).toBe(60_000);
    for (let number = 0; number < 4096; number += 1) limit.failed(`address ${number}`);
    expect(limit.waitMs("first")).toBe(0);
  });
});
