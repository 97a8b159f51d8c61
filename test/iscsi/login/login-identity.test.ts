import { describe, expect, it } from "vitest";

import { formatTargetAddress, resolveIdentity } from "../../../src/iscsi/login/login-identity.ts";
import { LOGIN_LIMITS } from "../../../src/iscsi/login/limits.ts";
import type { LoginContext } from "../../../src/iscsi/login/login-types.ts";
import { AccessList } from "../../../src/iscsi/auth/access-list.ts";
import { DEFAULT_OFFERS } from "../../../src/iscsi/parameters.ts";
import { INITIATOR_NAME, makeTarget, policy, TARGET_NAME } from "./login-harness.ts";

const target = makeTarget();
const asked: string[] = [];
const context: LoginContext = {
  portalGroupTag: 1,
  remoteAddress: "192.0.2.7",
  limits: LOGIN_LIMITS,
  discovery: {
    enabled: true,
    access: new AccessList(),
    authentication: policy({}),
    offers: DEFAULT_OFFERS,
  },
  randomBytes: (length) => new Uint8Array(length),
  findTarget: (name) => {
    asked.push(name);
    return name === target.name ? target : null;
  },
  admit: () => ({ ok: true, tsih: 1 }),
};

const initiator = { key: "InitiatorName", value: INITIATOR_NAME };
const alias = { key: "InitiatorAlias", value: "host" };

describe("resolveIdentity", () => {
  it("takes a session for a normal one where nothing is said (RFC 7143 13.21)", () => {
    const named = { key: "TargetName", value: TARGET_NAME };
    expect(resolveIdentity(context, [named, alias, initiator])).toEqual({
      ok: true,
      identity: {
        initiatorName: INITIATOR_NAME,
        initiatorAlias: "host",
        sessionType: "normal",
        target,
        authentication: target.authentication,
        offers: target.offers,
      },
    });
  });

  it("does not look for the target of a discovery session", () => {
    asked.length = 0;
    const resolved = resolveIdentity(context, [
      initiator,
      { key: "SessionType", value: "Discovery" },
      { key: "TargetName", value: TARGET_NAME },
    ]);
    expect(resolved).toMatchObject({ ok: true, identity: { sessionType: "discovery" } });
    expect(asked).toEqual([]);
  });

  it("does not look for a name that is none", () => {
    asked.length = 0;
    const resolved = resolveIdentity(context, [initiator, { key: "TargetName", value: "a b" }]);
    expect(resolved).toMatchObject({ ok: false });
    expect(asked).toEqual([]);
  });
});

it("writes IPv6 addresses in brackets", () => {
  expect(formatTargetAddress("::1", 3260)).toBe("[::1]:3260");
  expect(formatTargetAddress("127.0.0.1", 3260)).toBe("127.0.0.1:3260");
});
